# Rows 3.14 and 3.15 after the guide to nginx, about a certificate that is good and
# one that is revoked.
cd /srv/ca
openssl req -config openssl.cnf -subj "/CN=two.example.com" -newkey ec \
	-pkeyopt ec_paramgen_curve:P-256 -nodes -keyout private/two.key -out two.csr 2>/dev/null
openssl ca -config openssl.cnf -batch -notext -extensions server -in two.csr -out two.pem 2>/dev/null
sleep 1
for cert in two.pem www.pem; do
	openssl ocsp -issuer ca.pem -cert $cert -reqout req.der -no_nonce
	openssl ocsp -issuer ca.pem -cert $cert -CAfile ca.pem -no_nonce -url http://ocsp.example.com \
		-respout resp.der -resp_text 2>verify | grep "Cert Status"
	grep Response verify
	openssl ocsp -respin resp.der -CAfile ca.pem -resp_text 2>verify | grep "Cert Status"
	grep Response verify
	openssl ocsp -nonce -issuer ca.pem -cert $cert -CAfile ca.pem -url http://ocsp.example.com 2>&1 |
		grep -v Update
done
