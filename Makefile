# What to build and how; `make` alone lists the targets.
.POSIX:
.DELETE_ON_ERROR:

PREFIX = /usr/local
DESTDIR =
# Extra arguments for `swift test`, for example TESTFLAGS='--filter SafeTensorsTests'.
TESTFLAGS =

swift = Scripts/swift
release = .build/release
# What is installed besides the program.
share = .build/share

to = $(DESTDIR)$(PREFIX)
manual = $(to)/share/man/man1/sdtool.1
bash_completion = $(to)/share/bash-completion/completions/sdtool
zsh_completion = $(to)/share/zsh/site-functions/_sdtool
fish_completion = $(to)/share/fish/vendor_completions.d/sdtool.fish

.PHONY: help
help: ## List what can be made
	@echo 'make demo and make test do everything on a fresh machine with a Swift toolchain.'
	@echo
	@sed -n 's/^\([a-z]*\): .*## \(.*\)/  make \1 \2/p' Makefile | \
	  awk '{ name = $$2; sub(/^ *make [a-z]* /, ""); printf "  make %-10s %s\n", name, $$0 }'

.PHONY: demo
demo: build ## Make a synthetic model and show the main commands on it
	@Scripts/demo

.PHONY: test
test: setup ## Run all tests, in release configuration
	@echo '==> Building and running all tests (release; the first build takes some minutes)'
	$(swift) test -c release $(TESTFLAGS)

.PHONY: build
build: setup ## Build the program, .build/release/sdtool
	@echo '==> Building sdtool (release; the first build takes some minutes)'
	$(swift) build -c release --product sdtool

.PHONY: setup
setup: ## Install missing packages (Debian and Ubuntu)
	@echo '==> Checking what the build needs'
	@Scripts/setup

.PHONY: lint
lint: ## Check formatting and shell scripts
	@Scripts/lint

.PHONY: format
format: ## Format all Swift sources
	$(swift) format -i -r Sources Tests Package.swift

.PHONY: bench
bench: build ## Measure speed and memory against other tools
	@Benchmarks/open.sh

.PHONY: share
share: build
	@Scripts/share $(release)/sdtool $(share)

# `make build share && sudo make install` builds nothing as root.
.PHONY: install
install: ## Install program, manual and completions below PREFIX (/usr/local), for packages in DESTDIR
	@if [ -z "$${SUDO_USER:-}" ] || [ ! -x $(release)/sdtool ] || [ ! -d $(share) ]; then \
	  $(MAKE) share; \
	fi
	@echo '==> Installing below $(to)'
	install -d $(to)/bin $(to)/share/man/man1 $(to)/share/bash-completion/completions \
	  $(to)/share/zsh/site-functions $(to)/share/fish/vendor_completions.d
	install -m 755 $(release)/sdtool $(to)/bin/sdtool
	install -m 644 $(share)/sdtool.1 $(manual)
	install -m 644 $(share)/sdtool.bash $(bash_completion)
	install -m 644 $(share)/sdtool.zsh $(zsh_completion)
	install -m 644 $(share)/sdtool.fish $(fish_completion)

.PHONY: uninstall
uninstall: ## Remove what install installed, given the same PREFIX and DESTDIR
	rm -f $(to)/bin/sdtool $(manual) $(bash_completion) $(zsh_completion) $(fish_completion)

.PHONY: clean
clean: ## Remove everything that was built
	rm -rf .build
