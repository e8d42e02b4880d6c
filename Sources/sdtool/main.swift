print("sdtool")
