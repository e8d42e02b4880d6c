# What to build and how; `make` alone lists the targets.
.POSIX:
.DELETE_ON_ERROR:

PREFIX = /usr/local
DESTDIR =
# Extra arguments for `swift test`, for example TESTFLAGS='--filter SafeTensorsTests'.
TESTFLAGS =

swift = Scripts/swift
# What is installed: a program that needs no Swift runtime, which every object must be built for.
static = --scratch-path .build/static --static-swift-stdlib
program = .build/static/release/sdtool
share = .build/static/share

to = $(DESTDIR)$(PREFIX)
manual = $(to)/share/man/man1/sdtool.1
bash_completion = $(to)/share/bash-completion/completions/sdtool
zsh_completion = $(to)/share/zsh/site-functions/_sdtool
fish_completion = $(to)/share/fish/vendor_completions.d/sdtool.fish

.PHONY: help
help: ## List what can be made
	@echo 'make demo and make test do everything on a fresh machine with a Swift toolchain.'
	@echo
	@sed -n 's/^\([a-z-]*\): .*## \(.*\)/  make \1 \2/p' Makefile | \
	  awk '{ name = $$2; sub(/^ *make [a-z-]* /, ""); printf "  make %-15s %s\n", name, $$0 }'

.PHONY: demo
demo: build ## Show the main commands, and draw pictures with the demo models
	@Scripts/demo

.PHONY: test
test: ## Run all tests, in release configuration
	@echo '==> Checking what the build and the tests need'
	@Scripts/setup --tests
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

.PHONY: pictures
pictures: build ## Draw the pictures of the README anew
	@Scripts/pictures

.PHONY: bench
bench: build ## Measure speed and memory against other tools
	@Benchmarks/open.sh
	@Benchmarks/kernels.sh
	@Benchmarks/merge.sh

# What `make install` copies, so that `make self-contained && sudo make install` builds nothing as root.
.PHONY: self-contained
self-contained: setup ## Build what is installed: a program without a Swift runtime, manual, completions
	@echo '==> Building sdtool without a Swift runtime (release; takes some minutes)'
	$(swift) build -c release $(static) --product sdtool
	@Scripts/share $(program) $(share) $(static)

.PHONY: install
install: ## Install below PREFIX (/usr/local); DESTDIR is for packagers
	@if [ -z "$${SUDO_USER:-}" ] || [ ! -x $(program) ] || [ ! -f $(share)/sdtool.1 ]; then \
	  $(MAKE) self-contained; \
	fi
	@echo '==> Installing below $(to)'
	install -d $(to)/bin $(to)/share/man/man1 $(to)/share/bash-completion/completions \
	  $(to)/share/zsh/site-functions $(to)/share/fish/vendor_completions.d
	install -s -m 755 $(program) $(to)/bin/sdtool
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
