# make            builds bin/ocspcgi, and bin/ocsp.cgi, the small one for CGI alone
# make demo       a CA, served and asked, to play with (ONCE=1: ends by itself)
# make test       all tests, with the real servers; TESTFLAGS go to go test
# CONTRIBUTING.md has the rest.

GO        ?= go
BIN       := bin/ocspcgi
CGI       := bin/ocsp.cgi
VERSION    = $(shell git describe --tags --always --dirty 2>/dev/null || echo unversioned)
FLAGS      = -trimpath -buildvcs=false -buildmode=exe -ldflags '-s -w -X main.version=$(VERSION)'
PREFIX    ?= /usr/local
CGIBIN    ?= /usr/lib/cgi-bin
TESTFLAGS ?=
FUZZTIME  ?= 60s
COUNT     ?= 6

# What the tests run the program with, and what asks it.
SERVERS := apache2 nginx mod_fcgid lighttpd caddy haproxy spawn-fcgi systemd-socket-activate systemd-analyze
CLIENTS := curl gnutls-cli gnutls-serv ocsptool pki stunnel botan ocspclnt certutil

# What verifies answers of ML-DSA, which openssl before 3.5 cannot.
NOBLE   := testdata/noble/node_modules/.package-lock.json

# Where servers are installed, which people do not always have on their path.
export PATH := $(PATH):/usr/local/go/bin:/usr/local/sbin:/usr/sbin:/sbin

.PHONY: build pkcs11 demo test interop browser race lint fuzz bench testdata install clean guides ci-long

# No cgo and no PIE: each would add a third to the start of a CGI process.
build:
	@.ci/programs go
	CGO_ENABLED=0 $(GO) build $(FLAGS) -o $(BIN) .
	CGO_ENABLED=0 $(GO) build $(FLAGS) -o $(CGI) ./cgi/cgibin

# With cgo, for the modules of PKCS#11 tokens are C libraries.
pkcs11:
	@.ci/programs go gcc
	CGO_ENABLED=1 $(GO) build -tags 'pkcs11 netgo osusergo' $(FLAGS) -o $(BIN)-pkcs11 .

demo: build
	@.ci/programs openssl
	$(BIN) demo $(if $(ONCE),-once)

test: build pkcs11 $(NOBLE)
	@.ci/programs openssl softhsm2-util easy-rsa cgi-fcgi node $(SERVERS) $(CLIENTS)
	$(GO) test $(TESTFLAGS) ./...
	CGO_ENABLED=1 $(GO) test -race -tags pkcs11 -run Token $(TESTFLAGS) ./lib/signer

$(NOBLE): testdata/noble/package-lock.json
	@.ci/programs node npm
	cd testdata/noble && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

# What each real server answers to each request, and what each real client makes
# of the answers, as two tables.
interop: build
	@.ci/programs openssl $(SERVERS) $(CLIENTS)
	$(GO) test -count=1 -v -run '^(TestTable|TestClients)$$' ./lib/servers ./lib/clients

race:
	$(MAKE) --no-print-directory test TESTFLAGS='-race $(TESTFLAGS)'

lint:
	@.ci/programs go gcc
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change:" $$unformatted; exit 1; }
	$(GO) vet ./...
	CGO_ENABLED=1 $(GO) vet -tags pkcs11 ./lib/signer
	$(GO) tool staticcheck ./...
	CGO_ENABLED=1 $(GO) tool staticcheck -tags pkcs11 ./lib/signer

fuzz:
	@.ci/programs go openssl
	.ci/fuzz $(FUZZTIME)

bench: build
	@.ci/programs openssl
	.ci/bench $(COUNT)

# The pages for people in a real browser, and the metrics by Prometheus' own tool.
browser: build
	@.ci/programs openssl chromium promtool
	$(GO) test -count=1 -tags browser -run Browser ./lib/conformance

# Each guide of lib/command/help/guides, followed word for word on a Debian
# machine of its own; needs root.
guides: build
	@.ci/programs openssl apache2 nginx curl systemd-analyze unshare shellcheck rsync ssh sshd \
		gnutls-cli haproxy socat firefox-esr jq easy-rsa
	$(GO) test -count=1 -timeout 60m -v ./lib/guides -args -follow

# Takes longer than anybody waits for.
ci-long: race fuzz guides browser

testdata:
	@.ci/programs openssl
	testdata/make-ca.sh

# As root after make: what is built already is what is installed.
install: $(BIN)
	install -D -m 0755 $(BIN) $(DESTDIR)$(PREFIX)/bin/ocspcgi
	install -D -m 0755 $(BIN) $(DESTDIR)$(CGIBIN)/ocspcgi
	install -D -m 0755 $(CGI) $(DESTDIR)$(CGIBIN)/ocsp.cgi
	install -D -m 0755 lib/package/ocspcgi-deliver $(DESTDIR)$(PREFIX)/bin/ocspcgi-deliver

$(BIN):
	$(MAKE) --no-print-directory build

clean:
	rm -rf bin
