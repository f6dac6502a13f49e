# rcron: build, test, install. `make help` lists the targets.

prefix      ?= /usr/local
bindir      ?= $(prefix)/bin
datadir     ?= $(prefix)/share
mandir      ?= $(datadir)/man
docdir      ?= $(datadir)/doc/rcron
bashcompdir ?= $(datadir)/bash-completion/completions
zshcompdir  ?= $(datadir)/zsh/site-functions
fishcompdir ?= $(datadir)/fish/vendor_completions.d
unitdir     ?= $(prefix)/lib/systemd/system
tmpfilesdir ?= $(prefix)/lib/tmpfiles.d
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
# The administrator's tool is static for the second reason only, and as random in its addresses as a service of root's should be.
static_pie  = -C target-feature=+crt-static
# CARGO_TARGET_DIR may name another folder.
built       = $(or $(CARGO_TARGET_DIR),target)/$(target)/release
# Where `make install` finds it: root may have neither rustc nor the same environment.
rcron       = build/rcron
rcronctl    = build/rcronctl
completions = build/completions
manuals8    = $(notdir $(wildcard docs/man/*.8))
units       = $(notdir $(wildcard packaging/systemd/*))

.PHONY: all demo test test-packages bench bench-once lint fuzz deb rpm install uninstall clean help

all: ## build the static programs
	RUSTFLAGS="$(static)" $(CARGO) build --release --locked --target $(target) -p rcron
	RUSTFLAGS="$(static_pie)" $(CARGO) build --release --locked --target $(target) -p rcronctl
	@mkdir -p $(completions) && cp $(built)/rcron $(built)/rcronctl build
	@$(rcronctl) completions bash >$(completions)/rcronctl.bash
	@$(rcronctl) completions zsh >$(completions)/_rcronctl
	@$(rcronctl) completions fish >$(completions)/rcronctl.fish
	@echo "built $(rcron) $(rcronctl) $(completions)"

demo: all ## show a job move from one server to another
	demo/two-servers $(rcron)

test: all ## install what the tests need, if possible, and run them all
	tools/test $(rcron)

test-packages: all ## build the packages, and install, upgrade and remove them in a root of their own (as root)
	tools/test-packages

bench: all ## measure beside /bin/true, a shell's one-liner and flock
	$(CARGO) run --quiet --release --locked -p rcron-bench -- --binary $(rcron) --rcronctl $(rcronctl)

bench-once: all
	$(CARGO) run --quiet --release --locked -p rcron-bench -- --binary $(rcron) --rcronctl $(rcronctl) --once

lint: ## format, clippy, manual pages, shell scripts
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	mandoc -T lint -W warning docs/man/*.[0-9]
	shellcheck tools/* demo/two-servers .ci/run debian/rcron.postinst debian/rcron.prerm debian/rcron.postrm completions/rcron.bash

fuzz: ## fuzz the grammars for a while (needs nightly)
	tools/fuzz

deb: all ## build the Debian package, build/rcron_VERSION_ARCHITECTURE.deb
	tools/package deb

rpm: all ## build the RPM package, build/rcron-VERSION-RELEASE.ARCHITECTURE.rpm
	tools/package rpm

# No build here: this runs as root. The packages are made of what this installs.
install: ## install programs, manual pages, completions, units and, if there is none, a configuration file
	@test -x $(rcron) -a -x $(rcronctl) || { echo "no $(rcron) or $(rcronctl) here: run 'make' first, as yourself"; exit 1; }
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(mandir)/man8 $(DESTDIR)$(mandir)/man5
	$(INSTALL) -d $(DESTDIR)$(bashcompdir) $(DESTDIR)$(zshcompdir) $(DESTDIR)$(fishcompdir)
	$(INSTALL) -d $(DESTDIR)$(unitdir) $(DESTDIR)$(tmpfilesdir) $(DESTDIR)$(docdir)/docs $(DESTDIR)$(sysconfdir)/rcron
	$(INSTALL) -m 755 $(rcron) $(rcronctl) $(DESTDIR)$(bindir)
	$(INSTALL) -m 644 $(addprefix docs/man/,$(manuals8)) $(DESTDIR)$(mandir)/man8
	$(INSTALL) -m 644 docs/man/rcron.conf.5 $(DESTDIR)$(mandir)/man5
	$(INSTALL) -m 644 completions/rcron.bash $(DESTDIR)$(bashcompdir)/rcron
	$(INSTALL) -m 644 $(completions)/rcronctl.bash $(DESTDIR)$(bashcompdir)/rcronctl
	$(INSTALL) -m 644 completions/_rcron $(completions)/_rcronctl $(DESTDIR)$(zshcompdir)
	$(INSTALL) -m 644 completions/rcron.fish $(completions)/rcronctl.fish $(DESTDIR)$(fishcompdir)
	@set -e; for unit in $(units); do echo "$(unitdir)/$$unit"; \
		sed 's,/usr/bin/rcronctl,$(bindir)/rcronctl,' packaging/systemd/$$unit >$(DESTDIR)$(unitdir)/$$unit; \
		chmod 644 $(DESTDIR)$(unitdir)/$$unit; done
	$(INSTALL) -m 644 packaging/tmpfiles.d/rcron.conf $(DESTDIR)$(tmpfilesdir)
	$(INSTALL) -m 644 README.md CHANGELOG.md $(DESTDIR)$(docdir)
	$(INSTALL) -m 644 docs/*.md $(DESTDIR)$(docdir)/docs
	@set -e; cd examples; find . -type f | while read -r file; do \
		$(INSTALL) -d "$(DESTDIR)$(docdir)/examples/$${file%/*}"; \
		$(INSTALL) -m 644 "$$file" "$(DESTDIR)$(docdir)/examples/$$file"; done
	@test -e $(DESTDIR)$(sysconfdir)/rcron/rcron.conf || \
		$(INSTALL) -m 644 examples/rcron.conf $(DESTDIR)$(sysconfdir)/rcron/rcron.conf
	@test -d $(DESTDIR)$(journaldir) || { $(INSTALL) -d $(DESTDIR)$(dir $(journaldir)) && \
		$(INSTALL) -d -m 1733 $(DESTDIR)$(journaldir); }
	@test -n "$(DESTDIR)" || printf '%s\n' 'On a system with systemd, now run:' \
		'  systemd-tmpfiles --create rcron.conf' '  systemctl daemon-reload' '  systemctl enable rcron-interrupted.service'

uninstall: ## remove all of it but configuration and journal
	@test -n "$(DESTDIR)" || test ! -d /run/systemd/system || systemctl disable --now --quiet $(units) || true
	rm -f $(DESTDIR)$(bindir)/rcron $(DESTDIR)$(bindir)/rcronctl
	rm -f $(addprefix $(DESTDIR)$(mandir)/man8/,$(manuals8)) $(DESTDIR)$(mandir)/man5/rcron.conf.5
	rm -f $(DESTDIR)$(bashcompdir)/rcron $(DESTDIR)$(bashcompdir)/rcronctl
	rm -f $(DESTDIR)$(zshcompdir)/_rcron $(DESTDIR)$(zshcompdir)/_rcronctl
	rm -f $(DESTDIR)$(fishcompdir)/rcron.fish $(DESTDIR)$(fishcompdir)/rcronctl.fish
	rm -f $(addprefix $(DESTDIR)$(unitdir)/,$(units)) $(DESTDIR)$(tmpfilesdir)/rcron.conf
	rm -rf $(DESTDIR)$(docdir)
	@test -n "$(DESTDIR)" || test ! -d /run/systemd/system || systemctl daemon-reload

clean: ## remove what was built
	$(CARGO) clean
	rm -rf build

help:
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST)
