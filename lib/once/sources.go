package once

import (
	"errors"
	"fmt"
	"time"

	"ocspcgi/lib/cadir"
	"ocspcgi/lib/config"
	"ocspcgi/lib/reload"
	"ocspcgi/lib/responder"
	"ocspcgi/lib/signer"
)

// Sources turns settings into files.
type Sources struct {
	Ask signer.Passphrase           // asked for the pass phrases of keys without -passin; nil: nobody can be asked
	Env func(string) (string, bool) // the environment, for -passin env:NAME
	Now func() time.Time            // the clock; nil means time.Now
	// Took is told what was found in the directory of a CA; nil: nobody is.
	Took func(dir string, found *cadir.Found)

	phrases map[config.Secret]signer.Passphrase
}

// Of returns the files of each issuer of the settings. The error joins all
// faults that were found.
func (s *Sources) Of(cfg *config.Config) ([]reload.Source, error) {
	if len(cfg.Issuers) == 0 {
		return nil, errors.New("no issuer is named: give -index, -CA and -rsigner, or OCSP_INDEX, OCSP_CA and OCSP_RSIGNER, or an [[issuer]] in " + config.DefaultFile + "; or -ca-dir, or OCSP_CA_DIR")
	}
	var out []reload.Source
	var faults []error
	for i := range cfg.Issuers {
		source, err := s.One(cfg, i)
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", cfg.Issuers[i].Where, err))
		}
		out = append(out, source)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return out, nil
}

// One returns the files of one issuer of the settings.
func (s *Sources) One(cfg *config.Config, n int) (reload.Source, error) {
	issuer := &cfg.Issuers[n]
	files := responder.Files{
		Where: issuer.Where, CA: issuer.CA, Other: issuer.ROther, Digest: issuer.RMD, SigOpts: issuer.RSigOpt,
		Lifetime: issuer.Lifetime, ByName: cfg.RespNameID, NoCerts: issuer.RespNoCerts,
		Public: cfg.Profile == "public", Backdate: cfg.Backdate,
	}
	for _, pair := range issuer.Signers {
		phrase, err := s.phrase(pair.PassIn)
		if err != nil {
			return reload.Source{}, err
		}
		files.Signers = append(files.Signers, responder.SignerFiles{Certificate: pair.RSigner, Key: pair.RKey, Passphrase: phrase})
	}
	if issuer.CADir == "" {
		return reload.Source{Index: issuer.Index, Files: files}, nil
	}
	return s.found(issuer.CADir, files)
}

func (s *Sources) phrase(from config.Secret) (signer.Passphrase, error) {
	// What is read from a descriptor is read once, for all keys.
	if s.phrases == nil {
		s.phrases = map[config.Secret]signer.Passphrase{"": s.Ask}
	}
	if _, known := s.phrases[from]; !known {
		phrase, err := signer.ParsePassIn(string(from), s.Env)
		if err != nil {
			return nil, err
		}
		s.phrases[from] = phrase
	}
	return s.phrases[from], nil
}

// found completes the files of an issuer from the directory of its CA.
func (s *Sources) found(dir string, given responder.Files) (reload.Source, error) {
	find := func() (*cadir.Found, responder.Files, error) {
		files := given
		found, err := cadir.Find(dir, s.now(), cadir.Given{CA: given.CA, Signer: given.Signers[0].Certificate != ""})
		if err != nil {
			return nil, files, err
		}
		files.CA = found.CA.Path
		if found.Signer.Path != "" {
			files.Signers = []responder.SignerFiles{{Certificate: found.Signer.Path, Key: found.Key.Path, Passphrase: given.Signers[0].Passphrase}}
		}
		if s.Took != nil {
			s.Took(dir, found)
		}
		return found, files, nil
	}
	found, files, err := find()
	if err != nil {
		return reload.Source{}, err
	}
	source := reload.Source{Index: found.Index.Path, Files: files, Hints: found.Hints}
	source.Find = func() (responder.Files, error) {
		next, files, err := find()
		if err == nil && next.Index.Path != source.Index {
			err = fmt.Errorf("ca-dir %s: the index is %s now, no longer %s; restart", dir, next.Index.Path, source.Index)
		}
		return files, err
	}
	return source, nil
}

func (s *Sources) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}
