#!/usr/bin/env bash
# Makes the CA and the recorded requests in this directory, with the real
# openssl. README.md says what is what. Everything is made anew, keys too.
set -eu -o pipefail
cd "$(dirname "$0")"

passphrase=sesame
from=20260101000000Z
to=20460101000000Z
name='/C=XX/O=Example Company'

# configuration CERTIFICATE KEY
configuration() {
	cat <<-CNF
	# Run openssl in this directory: openssl ca -config openssl.cnf ...
	[ ca ]
	default_ca = here

	[ here ]
	dir = .
	database = \$dir/index.txt
	serial = \$dir/serial
	new_certs_dir = \$dir/newcerts
	certificate = \$dir/certs/$1
	private_key = \$dir/private/$2
	default_md = sha256
	policy = names
	unique_subject = no

	[ names ]
	countryName = optional
	organizationName = optional
	commonName = supplied

	[ req ]
	distinguished_name = name
	prompt = no

	[ name ]
	commonName = unnamed

	[ ca_cert ]
	basicConstraints = critical,CA:true
	keyUsage = critical,digitalSignature,cRLSign,keyCertSign
	subjectKeyIdentifier = hash
	authorityKeyIdentifier = keyid:always

	[ server ]
	basicConstraints = CA:false
	keyUsage = critical,digitalSignature
	extendedKeyUsage = serverAuth
	subjectKeyIdentifier = hash
	authorityKeyIdentifier = keyid
	authorityInfoAccess = OCSP;URI:http://ocsp.example.com/

	[ must_staple ]
	basicConstraints = CA:false
	keyUsage = critical,digitalSignature
	extendedKeyUsage = serverAuth
	subjectKeyIdentifier = hash
	authorityKeyIdentifier = keyid
	authorityInfoAccess = OCSP;URI:http://ocsp.example.com/
	tlsfeature = status_request

	[ ocsp ]
	basicConstraints = CA:false
	keyUsage = critical,digitalSignature
	extendedKeyUsage = critical,OCSPSigning
	subjectKeyIdentifier = hash
	authorityKeyIdentifier = keyid
	noCheck = ignored
	CNF
}

# lay_out DIR CERTIFICATE KEY: an empty CA directory
lay_out() {
	rm -rf "$1"
	mkdir -p "$1"/certs "$1"/newcerts "$1"/private
	: >"$1"/index.txt
	echo 1000 >"$1"/serial
	configuration "$2" "$3" >"$1"/openssl.cnf
}

# key FILE KIND
key() {
	case $2 in
	rsa) openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1" ;;
	rsa-encrypted) openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -aes256 -pass "pass:$passphrase" -out "$1" ;;
	p256) openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" ;;
	ed25519) openssl genpkey -algorithm ED25519 -out "$1" ;;
	esac
}

# ca DIR ARGUMENTS...: openssl ca, silent unless it fails
ca() {
	(cd "$1" && shift && openssl ca -config openssl.cnf -batch "$@" 2>openssl.log) || { cat "$1"/openssl.log >&2; exit 1; }
	rm -f "$1"/openssl.log
}

# issue DIR NAME EXTENSIONS KIND [FROM TO]: certs/NAME.cert.pem
issue() {
	key "$1/private/$2.key.pem" "$4"
	openssl req -new -config "$1/openssl.cnf" -key "$1/private/$2.key.pem" -passin "pass:$passphrase" \
		-subj "$name/CN=$2" -out "$1/$2.csr.pem"
	ca "$1" -notext -extensions "$3" -startdate "${5:-$from}" -enddate "${6:-$to}" \
		-in "$2.csr.pem" -out "certs/$2.cert.pem"
	rm "$1/$2.csr.pem"
}

# server DIR NAME [FROM TO]: one that nobody needs the key of
server() {
	issue "$1" "$2" server p256 "${@:3}"
	rm "$1/private/$2.key.pem"
}

# revoke DIR NAME ARGUMENTS...
revoke() { ca "$1" -revoke "certs/$2.cert.pem" "${@:3}"; }

make_root() {
	lay_out ca ca.cert.pem ca.key.pem
	key ca/private/ca.key.pem rsa
	openssl req -new -config ca/openssl.cnf -key ca/private/ca.key.pem -subj "$name/CN=Example Root CA" -out ca/ca.csr.pem
	echo 7A00 >ca/serial # apart from those that it gives out
	ca ca -selfsign -notext -extensions ca_cert -startdate "$from" -enddate "$to" -in ca.csr.pem -out certs/ca.cert.pem
	rm ca/ca.csr.pem ca/newcerts/7A00.pem
	: >ca/index.txt
	echo 1000 >ca/serial
}

make_intermediate() {
	issue ca intermediate ca_cert rsa                    # 1000
	issue ca ocsp.root.example.com ocsp p256             # 1001
	issue ca old-intermediate ca_cert p256               # 1002
	rm ca/private/old-intermediate.key.pem
	revoke ca old-intermediate -crl_reason superseded

	lay_out ca/intermediate intermediate.cert.pem intermediate.key.pem
	mv ca/private/intermediate.key.pem ca/intermediate/private/
	cp ca/certs/intermediate.cert.pem ca/intermediate/certs/
	cat ca/certs/intermediate.cert.pem ca/certs/ca.cert.pem >ca/intermediate/certs/ca-chain.cert.pem
}

make_leaves() {
	local d=ca/intermediate
	issue $d ocsp.example.com ocsp rsa-encrypted         # 1000
	issue $d ocsp-p256.example.com ocsp p256             # 1001
	issue $d ocsp-ed25519.example.com ocsp ed25519       # 1002
	issue $d test.example.com server p256                # 1003
	issue $d staple.example.com must_staple p256         # 1004
	server $d revoked.example.com                        # 1005
	server $d key-compromise.example.com                 # 1006
	server $d superseded.example.com                     # 1007
	server $d hold.example.com                           # 1008
	server $d hold-instruction.example.com               # 1009
	server $d key-time.example.com                       # 100A
	server $d ca-key-time.example.com                    # 100B
	server $d expired.example.com $from 20260201000000Z  # 100C
	ca $d -updatedb
	server $d late.example.com $from 20260201000000Z     # 100D
	server $d 2055.example.com $from 20550101000000Z     # 100E
	revoke $d revoked.example.com
	revoke $d key-compromise.example.com -crl_reason keyCompromise
	revoke $d superseded.example.com -crl_reason superseded
	revoke $d hold.example.com -crl_reason certificateHold
	revoke $d hold-instruction.example.com -crl_hold holdInstructionReject
	revoke $d key-time.example.com -crl_compromise 20260102030405Z
	revoke $d ca-key-time.example.com -crl_CA_compromise 20260102030405Z
}

# request NAME ARGUMENTS...: requests/NAME.der
request() { openssl ocsp -reqout "requests/$1.der" "${@:2}"; }

make_requests() {
	local root=ca/certs/ca.cert.pem sub=ca/intermediate/certs/intermediate.cert.pem certs=ca/intermediate/certs
	local good=$certs/test.example.com.cert.pem
	rm -rf requests
	mkdir requests
	request nonce -issuer $sub -cert $good
	request no-nonce -no_nonce -issuer $sub -cert $good
	request revoked -no_nonce -issuer $sub -cert $certs/key-compromise.example.com.cert.pem
	request unknown -no_nonce -issuer $sub -serial 0x2001
	request root -no_nonce -issuer $root -cert $sub
	request sha256 -no_nonce -sha256 -issuer $sub -cert $good
	request sha384 -no_nonce -sha384 -issuer $sub -cert $good
	request sha512 -no_nonce -sha512 -issuer $sub -cert $good
	request several -no_nonce -issuer $sub -serial 0x1003 -serial 0x1006 -serial 0x2001
	request two-issuers -no_nonce -issuer $root -serial 0x1002 -issuer $sub -serial 0x1002
	request signed -issuer $sub -cert $good -signer $good -signkey ca/intermediate/private/test.example.com.key.pem
}

make_root
make_intermediate
make_leaves
make_requests
# openssl revokes now; a fixed date keeps the answers as they are.
sed -i -E 's/^(R\t[^\t]*\t)[0-9]{12}Z/\1260301120000Z/' ca/index.txt ca/intermediate/index.txt
find ca \( -name '*.old' -o -name '*.log' \) -delete
sed -i "s/^Made by .*/Made by $(openssl version | cut -d' ' -f1-2)./" README.md
