# rcron: build, test, install. `make help` lists the targets.

prefix      ?= /usr/local
bindir      ?= $(prefix)/bin
datadir     ?= $(prefix)/share
mandir      ?= $(datadir)/man
docdir      ?= $(datadir)/doc/rcron
rcronddocdir ?= $(datadir)/doc/rcrond
bashcompdir ?= $(datadir)/bash-completion/completions
zshcompdir  ?= $(datadir)/zsh/site-functions
fishcompdir ?= $(datadir)/fish/vendor_completions.d
unitdir     ?= $(prefix)/lib/systemd/system
tmpfilesdir ?= $(prefix)/lib/tmpfiles.d
catalogdir  ?= $(prefix)/lib/systemd/catalog
sysconfdir  ?= /etc
# The programs' default; another one is chosen in the configuration.
journaldir   = /var/lib/rcron/journal
INSTALL     ?= install
CARGO       ?= cargo

# The wrapper is static: no loader at each tick, and it runs whatever libraries the host has. Linked to a fixed address, it
# needs no relocation either (docs/design/dependencies.md says what that costs). With a target named, the flags do not
# reach build scripts.
target      = $(shell rustc -vV | sed -n 's/^host: //p')
static      = -C target-feature=+crt-static -C relocation-model=static
# rcronctl and rcron-keepalived are static only to run on every host. They are position-independent, because root runs them.
static_pie  = -C target-feature=+crt-static
# CARGO_TARGET_DIR may name another directory. rcrond is dynamic and position-independent, the compiler's default: names of stores are
# looked up by the host's libc and its nsswitch.conf(5), which no static program can. Built for no named target, it has a directory
# of its own.
built       = $(or $(CARGO_TARGET_DIR),target)/$(target)/release
built_here  = $(or $(CARGO_TARGET_DIR),target)/release
# What --version shows. Only the programs that are installed have it, so that no commit makes cargo build the tests again.
commit      = RCRON_COMMIT="$$(tools/commit)"
# Where `make install` finds it: root may have neither rustc nor the same environment.
rcron       = build/rcron
rcronctl    = build/rcronctl
keepalived  = build/rcron-keepalived
rcrond      = build/rcrond
completions = build/completions
# The licences of the crates that each package's programs link, and of what is linked besides crates (tools/licences).
licences    = build/LICENCES-rcron.txt build/LICENCES-rcrond.txt
licensed    = tools/licences Cargo.lock Cargo.toml $(wildcard crates/*/Cargo.toml packaging/licences/*.txt packaging/licences/crates/*)
manuals     = $(filter-out rcrond%,$(notdir $(wildcard docs/man/*)))
rcrond_man  = $(filter rcrond%,$(notdir $(wildcard docs/man/*)))
units       = $(filter-out rcrond%,$(notdir $(wildcard packaging/systemd/*)))
# A copy only if it is another one: what was built once stays as old as it is.
take        = @mkdir -p build && { cmp -s $(1) $(2) || cp $(1) $(2); }

.PHONY: all rcron rcronctl rcron-keepalived rcrond licences demo check test test-packages chaos bench bench-once lint fuzz
.PHONY: deb rpm clean help install install-rcron install-rcrond uninstall compiler static-library

all: rcron rcronctl rcron-keepalived rcrond licences ## build the four programs
	@echo "built $(rcron) $(rcronctl) $(keepalived) $(rcrond) $(completions)"

# Asked before anything is built: what the compiler itself would say about these is hard to read.
compiler:
	@for program in $(firstword $(CARGO)) rustc; do command -v $$program >/dev/null || { \
		echo "make: $$program is not in the PATH of the user $$(id -un)."; \
		echo 'Rust 1.85 or later is needed: the package cargo of Debian 13, or rustup (https://rustup.rs), for this user.'; \
		exit 1; }; done
	@command -v cc >/dev/null || { \
		echo 'make: there is no C compiler (cc): install the package gcc.'; exit 1; }

static-library: compiler
	@test -e "$$(cc -print-file-name=libc.a)" || { echo 'make: the static C library (libc.a) is missing:' \
		'install the package libc6-dev (Debian, Ubuntu) or glibc-static (Fedora, RHEL).'; exit 1; }

# A first build takes minutes: say what for. `built` has nothing then.
# announce PROGRAM FILE TEXT
announce    = @test -e $(2) || echo "== $(1): $(3)"

rcron: static-library ## build the wrapper alone
	$(call announce,rcron,$(built)/rcron,the wrapper; a first build takes about half a minute)
	$(commit) RUSTFLAGS="$(static)" $(CARGO) build --release --locked --target $(target) -p rcron
	$(call take,$(built)/rcron,$(rcron))

rcronctl: static-library ## build the administrator's tool and its completions
	$(call announce,rcronctl,$(built)/rcronctl,the administrator's tool; a first build takes one to two minutes)
	$(commit) RUSTFLAGS="$(static_pie)" $(CARGO) build --release --locked --target $(target) -p rcronctl
	$(call take,$(built)/rcronctl,$(rcronctl))
	@mkdir -p $(completions)
	@$(rcronctl) completions bash >$(completions)/rcronctl.bash
	@$(rcronctl) completions zsh >$(completions)/_rcronctl
	@$(rcronctl) completions fish >$(completions)/rcronctl.fish

rcron-keepalived: static-library ## build the service for keepalived
	$(call announce,rcron-keepalived,$(built)/rcron-keepalived,the service for keepalived; a first build takes about half a minute)
	$(commit) RUSTFLAGS="$(static_pie)" $(CARGO) build --release --locked --target $(target) -p rcron-keepalived
	$(call take,$(built)/rcron-keepalived,$(keepalived))

rcrond: compiler ## build the daemon (needs a C compiler, for its cryptography)
	$(call announce,rcrond,$(built_here)/rcrond,the daemon with the clients of four stores; a first build takes 3 to 8 minutes)
	$(commit) $(CARGO) build --release --locked -p rcrond
	$(call take,$(built_here)/rcrond,$(rcrond))

licences: $(licences) ## collect the licences of all crates that the programs link

build/LICENCES-rcron.txt: $(licensed)
	tools/licences $@ 'rcron rcronctl rcron-keepalived' packaging/licences/rust-standard-library.txt packaging/licences/glibc.txt

build/LICENCES-rcrond.txt: $(licensed)
	tools/licences $@ rcrond packaging/licences/rust-standard-library.txt

demo: rcron ## show a job move from one server to another
	demo/two-servers $(rcron)

# No root, no server, no network. What needs one of these is in test programs that are not named here; `make test` runs them.
checked     = --lib --bin rcronctl --bin rcron-keepalived --bin rcrond --test blackbox --test check --test histories --test liveness --test mutations --test stories

check: ## the quick check before a commit: format, clippy, unit and black-box tests, as an ordinary user
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	$(CARGO) test --quiet --locked --workspace $(checked)
	$(CARGO) test --quiet --locked --workspace --test contract the_store_in_memory

test: all ## install what the tests need, if possible, and run them all
	tools/test $(rcron)

test-packages: all ## build the packages, and install, upgrade and remove them in a root of their own (as root)
	tools/test-packages

chaos: all ## random faults on three nodes: STORE=redis|etcd|postgresql|mariadb SEED=number SECONDS=600 (as root)
	tools/chaos $(rcron) "$(STORE)" "$(SEED)" "$(SECONDS)"

bench: all ## measure beside /bin/true, a shell's one-liner and flock
	$(CARGO) run --quiet --release --locked -p rcron-bench -- --binary $(rcron) --rcronctl $(rcronctl) --rcrond $(rcrond)

bench-once: all
	$(CARGO) run --quiet --release --locked -p rcron-bench -- --binary $(rcron) --rcronctl $(rcronctl) --rcrond $(rcrond) --once

lint: ## format, clippy, manual pages, shell scripts
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	mandoc -T lint -W warning docs/man/*.[0-9]
	shellcheck tools/* demo/two-servers .ci/run debian/*.postinst debian/*.prerm debian/*.postrm completions/rcron.bash

fuzz: ## fuzz the grammars for a while (needs nightly)
	tools/fuzz

deb: all ## build the Debian packages, build/rcron_VERSION_ARCHITECTURE.deb and build/rcrond_...
	tools/package deb

rpm: all ## build the RPM packages, build/rcron-VERSION-RELEASE.ARCHITECTURE.rpm and build/rcrond-...
	tools/package rpm

# No build here: this runs as root. The documents link each other; their links to manual pages become plain text, because man(1)
# finds the pages. The packages are made of what this installs.
install: install-rcron $(if $(wildcard $(rcrond)),install-rcrond) ## install what was built, and, if there is none, a configuration file
	@test -x $(rcrond) || echo 'rcrond was not built, so it is not installed'
	@test -n "$(DESTDIR)" || printf '%s\n' 'On a system with systemd, now run:' \
		'  systemd-tmpfiles --create rcron.conf' '  systemctl daemon-reload' '  systemctl enable rcron-interrupted.service' \
		'  journalctl --update-catalog'

# install_unit NAME
install_unit = sed 's,/usr/bin/rcron,$(bindir)/rcron,' packaging/systemd/$(1) >$(DESTDIR)$(unitdir)/$(1) && \
	chmod 644 $(DESTDIR)$(unitdir)/$(1)
# Each page into its section's directory.
install_man = for page in $(1); do $(INSTALL) -m 644 docs/man/$$page $(DESTDIR)$(mandir)/man$${page\#\#*.}; done

install-rcron:
	@for file in $(rcron) $(rcronctl) $(keepalived) build/LICENCES-rcron.txt; do \
		test -e $$file || { echo "$$file is missing: run 'make' first, as yourself"; exit 1; }; done
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(mandir)/man8 $(DESTDIR)$(mandir)/man7 $(DESTDIR)$(mandir)/man5
	$(INSTALL) -d $(DESTDIR)$(bashcompdir) $(DESTDIR)$(zshcompdir) $(DESTDIR)$(fishcompdir)
	$(INSTALL) -d $(DESTDIR)$(unitdir) $(DESTDIR)$(tmpfilesdir) $(DESTDIR)$(docdir)/docs/design $(DESTDIR)$(sysconfdir)/rcron
	$(INSTALL) -m 755 $(rcron) $(rcronctl) $(keepalived) $(DESTDIR)$(bindir)
	@set -e; $(call install_man,$(manuals))
	$(INSTALL) -m 644 completions/rcron.bash $(DESTDIR)$(bashcompdir)/rcron
	$(INSTALL) -m 644 $(completions)/rcronctl.bash $(DESTDIR)$(bashcompdir)/rcronctl
	$(INSTALL) -m 644 completions/_rcron $(completions)/_rcronctl $(DESTDIR)$(zshcompdir)
	$(INSTALL) -m 644 completions/rcron.fish $(completions)/rcronctl.fish $(DESTDIR)$(fishcompdir)
	@set -e; $(foreach unit,$(units),$(call install_unit,$(unit));)
	$(INSTALL) -m 644 packaging/tmpfiles.d/rcron.conf $(DESTDIR)$(tmpfilesdir)
	$(INSTALL) -m 644 README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md $(DESTDIR)$(docdir)
	$(INSTALL) -m 644 build/LICENCES-rcron.txt $(DESTDIR)$(docdir)/LICENCES-third-party.txt
	$(INSTALL) -m 644 docs/*.md docs/*.svg docs/*.png $(DESTDIR)$(docdir)/docs
	$(INSTALL) -m 644 docs/design/* $(DESTDIR)$(docdir)/docs/design
	@for document in README.md docs/*.md docs/design/*.md; do \
		sed -E -i 's/\[([^]]*)\]\((docs\/)?man(\/[^)]*)?\)/\1/g' $(DESTDIR)$(docdir)/$$document; done
	@set -e; cd examples; find . -type f ! -path './rcrond/*' | while read -r file; do \
		$(INSTALL) -d "$(DESTDIR)$(docdir)/examples/$${file%/*}"; \
		$(INSTALL) -m 644 "$$file" "$(DESTDIR)$(docdir)/examples/$$file"; done
	@test -e $(DESTDIR)$(sysconfdir)/rcron/rcron.conf || \
		$(INSTALL) -m 644 examples/rcron.conf $(DESTDIR)$(sysconfdir)/rcron/rcron.conf
	@test -d $(DESTDIR)$(journaldir) || { $(INSTALL) -d $(DESTDIR)$(dir $(journaldir)) && \
		$(INSTALL) -d -m 1733 $(DESTDIR)$(journaldir); }

# No rcrond.toml: nobody can write it but who knows the store. Until there is one, the unit does nothing.
install-rcrond:
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(mandir)/man8 $(DESTDIR)$(mandir)/man5 $(DESTDIR)$(unitdir)
	$(INSTALL) -d $(DESTDIR)$(catalogdir) $(DESTDIR)$(rcronddocdir)/examples
	$(INSTALL) -m 755 $(rcrond) $(DESTDIR)$(bindir)
	@set -e; $(call install_man,$(rcrond_man))
	@set -e; $(call install_unit,rcrond.service)
	$(INSTALL) -m 644 packaging/catalog/rcrond.catalog $(DESTDIR)$(catalogdir)
	$(INSTALL) -m 644 build/LICENCES-rcrond.txt $(DESTDIR)$(rcronddocdir)/LICENCES-third-party.txt
	$(INSTALL) -m 644 examples/rcrond/* packaging/postgresql/rcrond.sql packaging/mariadb/rcrond-mariadb.sql $(DESTDIR)$(rcronddocdir)/examples

uninstall: ## remove all of it but configuration, journal and epochs
	@test -n "$(DESTDIR)" || test ! -d /run/systemd/system || systemctl disable --now --quiet $(units) rcrond.service || true
	rm -f $(addprefix $(DESTDIR)$(bindir)/,rcron rcronctl rcron-keepalived rcrond)
	rm -f $(addprefix $(DESTDIR)$(mandir)/man5/,$(filter %.5,$(manuals) $(rcrond_man)))
	rm -f $(addprefix $(DESTDIR)$(mandir)/man7/,$(filter %.7,$(manuals)))
	rm -f $(addprefix $(DESTDIR)$(mandir)/man8/,$(filter %.8,$(manuals) $(rcrond_man)))
	rm -f $(DESTDIR)$(bashcompdir)/rcron $(DESTDIR)$(bashcompdir)/rcronctl
	rm -f $(DESTDIR)$(zshcompdir)/_rcron $(DESTDIR)$(zshcompdir)/_rcronctl
	rm -f $(DESTDIR)$(fishcompdir)/rcron.fish $(DESTDIR)$(fishcompdir)/rcronctl.fish
	rm -f $(addprefix $(DESTDIR)$(unitdir)/,$(units) rcrond.service) $(DESTDIR)$(tmpfilesdir)/rcron.conf
	rm -f $(DESTDIR)$(catalogdir)/rcrond.catalog
	rm -rf $(DESTDIR)$(docdir) $(DESTDIR)$(rcronddocdir)
	@test -n "$(DESTDIR)" || test ! -d /run/systemd/system || systemctl daemon-reload

clean: ## remove what was built
	$(CARGO) clean
	rm -rf build

help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)
