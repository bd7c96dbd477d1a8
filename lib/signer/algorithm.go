package signer

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

const minRSABits = 2048

// algorithm is a way to sign, with the exact bytes that name it (TLS Baseline
// Requirements §7.1.3.2, RFC 5758, RFC 8410).
type algorithm struct {
	identifier []byte
	opts       crypto.SignerOpts
}

// checkKey says whether this kind of key may sign at all.
func checkKey(key any) (crypto.Signer, error) {
	k, ok := key.(crypto.Signer)
	if !ok {
		return nil, errKind
	}
	return k, checkPublic(k.Public())
}

var errKind = errors.New("not a key that signs; RSA, P-256, P-384, P-521, Ed25519 and ML-DSA can")

// checkPublic is checkKey for the public half.
func checkPublic(key crypto.PublicKey) error {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSABits {
			return fmt.Errorf("RSA key of %d bits; at least %d are needed", k.N.BitLen(), minRSABits)
		}
	case *ecdsa.PublicKey:
		if curveHash(k) == 0 {
			return fmt.Errorf("key on the curve %s; P-256, P-384 and P-521 can sign", k.Params().Name)
		}
	default:
		if algorithmsOf(key) == nil {
			return errKind
		}
	}
	return nil
}

func curveHash(k *ecdsa.PublicKey) crypto.Hash {
	switch k.Params().Name {
	case "P-256":
		return crypto.SHA256
	case "P-384":
		return crypto.SHA384
	case "P-521":
		return crypto.SHA512
	}
	return 0
}

// chooseAlgorithm picks how the private half of key signs.
func chooseAlgorithm(key crypto.PublicKey, opt Options) (algorithm, error) {
	hash, err := digest(opt.Digest)
	if err != nil {
		return algorithm{}, err
	}
	switch k := key.(type) {
	case *rsa.PublicKey:
		if hash == 0 {
			hash = crypto.SHA256
		}
		return rsaAlgorithm(hash, opt.SigOpts)
	case *ecdsa.PublicKey:
		if len(opt.SigOpts) > 0 {
			return algorithm{}, errors.New("-rsigopt is for RSA keys; leave it out for this ECDSA key")
		}
		if hash == 0 {
			hash = curveHash(k)
		}
		return algorithm{ecdsaIdentifier(hash), hash}, nil
	default:
		own := algorithmsOf(key)[0]
		if hash != 0 || len(opt.SigOpts) > 0 {
			return algorithm{}, fmt.Errorf("an %s key has a digest of its own; leave -rmd and -rsigopt out", kindOf(key))
		}
		return own, nil
	}
}

// digest reads openssl's names in any letter case; zero is the key's own.
func digest(name string) (crypto.Hash, error) {
	switch strings.ToLower(strings.ReplaceAll(name, "-", "")) {
	case "":
		return 0, nil
	case "sha256":
		return crypto.SHA256, nil
	case "sha384":
		return crypto.SHA384, nil
	case "sha512":
		return crypto.SHA512, nil
	case "sha1", "md5", "sha224":
		return 0, fmt.Errorf("-rmd %s is too weak; sha256, sha384 or sha512 can be used", name)
	}
	return 0, fmt.Errorf("-rmd %s is not known; sha256, sha384 or sha512 can be used", name)
}

func rsaAlgorithm(hash crypto.Hash, sigOpts []string) (algorithm, error) {
	pss, err := wantsPSS(hash, sigOpts)
	if err != nil {
		return algorithm{}, err
	}
	if pss {
		return pssAlgorithm(hash), nil
	}
	return pkcs1Algorithm(hash), nil
}

func pkcs1Algorithm(hash crypto.Hash) algorithm {
	id := []byte("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01?\x05\x00")
	id[12] = byte(hash-crypto.SHA256) + 0x0b
	return algorithm{id, hash}
}

func pssAlgorithm(hash crypto.Hash) algorithm {
	return algorithm{pssIdentifier(hash), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: hash}}
}

func ed25519Algorithm() algorithm {
	return algorithm{[]byte("\x30\x05\x06\x03\x2b\x65\x70"), crypto.Hash(0)}
}

func ecdsaIdentifier(hash crypto.Hash) []byte {
	id := []byte("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03?")
	id[11] = byte(hash-crypto.SHA256) + 2
	return id
}

// pssIdentifier is RSASSA-PSS with MGF1 over the same digest and a salt of the
// digest's length, the one form that the Baseline Requirements allow.
func pssIdentifier(hash crypto.Hash) []byte {
	id := []byte("\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a" +
		"\x30\x34\xa0\x0f\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02?\x05\x00" +
		"\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08" +
		"\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02?\x05\x00\xa2\x03\x02\x01?")
	last := byte(hash-crypto.SHA256) + 1
	id[29], id[59], id[66] = last, last, byte(hash.Size())
	return id
}

// wantsPSS reads openssl's -rsigopt for RSA. What would make another signature
// than the one asked for is an error.
func wantsPSS(hash crypto.Hash, sigOpts []string) (pss bool, err error) {
	var forPSS string
	for _, opt := range sigOpts {
		name, value, _ := strings.Cut(opt, ":")
		ok := false
		switch name {
		case "rsa_padding_mode":
			pss = value == "pss"
			ok = pss || value == "pkcs1"
		case "rsa_pss_saltlen":
			forPSS = opt
			ok = value == "digest" || value == "-1" || value == strconv.Itoa(hash.Size())
		case "rsa_mgf1_md":
			forPSS = opt
			mgf, err := digest(value)
			ok = err == nil && mgf == hash
		}
		if !ok {
			return false, fmt.Errorf("-rsigopt %s cannot be used; rsa_padding_mode:pss, with a salt and an MGF1 digest like the signature's, can", opt)
		}
	}
	if forPSS != "" && !pss {
		return false, fmt.Errorf("-rsigopt %s needs -rsigopt rsa_padding_mode:pss", forPSS)
	}
	return pss, nil
}
