package ocsphttp

import (
	"bytes"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Some web servers give only a path in which each run of slashes has become
// one. Slashes are part of base64: the DER's length tells how many are gone, its
// structure where they may have been, and the hashes in it where they were: only
// one way names an issuer that is served.

const (
	mostMissing = 4       // slashes put back
	mostTried   = 500     // ways of putting them back that are looked at
	mostDecoded = 1 << 20 // characters of all these ways together
)

// repaired calls try with each OCSPRequest that path may have carried before
// its slashes were merged, until try says no. It reports whether all were tried.
func repaired(path []byte, try func(der []byte) bool) bool {
	tried, characters := 0, 0
	path = bytes.TrimRight(path, "=")
	for start := range candidates(path) {
		suffix := path[start:]
		size, ok := announced(suffix)
		missing := (size*4+2)/3 - len(suffix)
		if !ok || missing < 1 || missing > mostMissing {
			continue
		}
		more := withSlashes(suffix, 0, missing, func(s []byte) bool {
			tried++
			characters += len(s)
			if der, ok := decodeBase64(s, nil); ok && wellFormed(der) && !try(der) {
				return false
			}
			return tried < mostTried && characters < mostDecoded
		})
		if !more {
			return false
		}
	}
	return true
}

// withSlashes calls try with each way to make s longer by missing slashes,
// behind slashes that are there, from place from on, until try says no.
func withSlashes(s []byte, from, missing int, try func([]byte) bool) bool {
	if missing == 0 {
		return try(s)
	}
	for i := from; i < len(s); i++ {
		if s[i] != '/' {
			continue
		}
		for n := 1; n <= missing; n++ {
			longer := make([]byte, 0, len(s)+n)
			longer = append(longer, s[:i]...)
			for range n {
				longer = append(longer, '/')
			}
			longer = append(longer, s[i:]...)
			if !withSlashes(longer, i+n+1, missing-n, try) {
				return false
			}
		}
	}
	return true
}

// wellFormed reports whether der is one element whose constructed elements
// hold whole elements, all the way down.
func wellFormed(der []byte) bool {
	const deepest = 16
	in := cryptobyte.String(der)
	return wholeElements(&in, deepest)
}

func wholeElements(in *cryptobyte.String, depth int) bool {
	for !in.Empty() {
		var content cryptobyte.String
		var tag asn1.Tag
		if depth == 0 || !in.ReadAnyASN1(&content, &tag) {
			return false
		}
		const constructed = 0x20
		if tag&constructed != 0 && !wholeElements(&content, depth-1) {
			return false
		}
	}
	return true
}
