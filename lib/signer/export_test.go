package signer

var (
	ParseCertificates = parseCertificates
	ParseKey          = parseKey
)
