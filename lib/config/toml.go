package config

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// tomlReader goes through one file from top to bottom. Its place in the file
// decides where a key belongs: above all [[issuer]], in one, or in a signer.
type tomlReader struct {
	*told
	parser unstable.Parser
	file   string
	folder string // that relative paths begin at
	offset uint32 // of the last place whose line was asked for
	lines  int    // before that
	single bool   // a file of issuers.d: it is one issuer from its first line
	headed bool   // and its [[issuer]] has been seen

	issuer *group       // nil above all of them
	signer *signerGroup // nil outside
	lost   bool         // in a table that nobody knows
}

func readTOML(t *told, file string, data []byte) {
	r := &tomlReader{told: t, file: file}
	r.read(data)
}

// readIssuerTOML reads a file that is one issuer, with or without [[issuer]].
func readIssuerTOML(t *told, file string, data []byte) {
	r := &tomlReader{told: t, file: file, single: true}
	r.beginIssuer(1)
	r.read(data)
}

func (r *tomlReader) read(data []byte) {
	r.folder = filepath.Dir(r.file)
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	r.parser.Reset(data[:len(data):len(data)])
	for r.parser.NextExpression() {
		switch e := r.parser.Expression(); e.Kind {
		case unstable.KeyValue:
			r.keyValue(e)
		case unstable.Table, unstable.ArrayTable:
			r.table(e)
		}
	}
	var fault *unstable.ParserError
	if err := r.parser.Error(); errors.As(err, &fault) {
		line := bytes.Count(data, []byte("\n")) + 1
		if len(fault.Highlight) > 0 {
			line = r.line(r.parser.Range(fault.Highlight))
		}
		r.faults.addf("%s:%d: %s", r.file, line, strings.TrimPrefix(fault.Message, "toml: "))
	} else if err != nil {
		r.faults.addf("%s: %w", r.file, err)
	}
}

// line counts from the last place that was asked for, mostly the key before.
func (r *tomlReader) line(at unstable.Range) int {
	if at.Offset < r.offset {
		r.offset, r.lines = 0, 0
	}
	r.lines += bytes.Count(r.parser.Data()[r.offset:at.Offset], []byte("\n"))
	r.offset = at.Offset
	return r.lines + 1
}

// key is the dotted name of a key or a table, with its line.
func (r *tomlReader) key(e *unstable.Node) (name string, line int) {
	var parts []string
	for it := e.Key(); it.Next(); {
		if parts == nil {
			line = r.line(it.Node().Raw)
		}
		parts = append(parts, string(it.Node().Data))
	}
	return strings.Join(parts, "."), line
}

func (r *tomlReader) table(e *unstable.Node) {
	name, line := r.key(e)
	at := r.file + ":" + strconv.Itoa(line)
	r.signer, r.lost = nil, false
	isArray := e.Kind == unstable.ArrayTable
	switch {
	case isArray && name == "issuer" && r.single && (r.headed || len(r.issuer.values)+len(r.issuer.signers) > 0):
		r.lost = true
		r.faults.addf("%s: a file in issuers.d has one issuer; give the second a file of its own", at)
	case isArray && name == "issuer" && r.single:
		r.headed = true
	case isArray && name == "issuer":
		r.beginIssuer(line)
	case isArray && (name == "issuer.signer" || name == "signer" && r.single) && r.issuer != nil:
		r.issuer.signers = append(r.issuer.signers, signerGroup{at: at, values: values{}})
		r.signer = &r.issuer.signers[len(r.issuer.signers)-1]
	case isArray && name == "issuer.signer":
		r.lost = true
		r.faults.addf("%s: [[issuer.signer]] belongs below an [[issuer]]", at)
	case name == "issuer" || name == "issuer.signer":
		r.lost = true
		r.faults.addf("%s: [%s] needs two brackets: [[%s]]", at, name, name)
	default:
		r.lost = true
		r.faults.addf("%s: unknown table %q; there are [[issuer]] and [[issuer.signer]]", at, name)
	}
}

func (r *tomlReader) beginIssuer(line int) {
	r.groups = append(r.groups, group{at: r.file + ":" + strconv.Itoa(line), values: values{}})
	r.issuer = &r.groups[len(r.groups)-1]
}

func (r *tomlReader) keyValue(e *unstable.Node) {
	name, line := r.key(e)
	at := fmt.Sprintf("%s:%d", r.file, line)
	s := lookup(name)
	switch {
	case r.lost:
		return
	case s == nil || !s.everywhere() || s.name == "config":
		r.faults.addf("%s: unknown key %q%s", at, name, didYouMean(strconv.Quote(name), knownKey))
		return
	case s.ofIssuer() && r.issuer == nil:
		r.faults.addf("%s: %s belongs into an [[issuer]]", at, name)
		return
	case !s.ofIssuer() && r.issuer != nil:
		r.faults.addf("%s: %s belongs above the first [[issuer]], in the main file", at, name)
		return
	case s.signer == nil && r.signer != nil:
		r.faults.addf("%s: %s belongs into [[issuer]], not into [[issuer.signer]]", at, name)
		return
	}
	at += ": " + name
	texts, err := tomlTexts(s, e.Value())
	if err != nil {
		r.faults.addf("%s: %w", at, err)
		return
	}
	r.faults.add(r.put(s, texts, at))
}

func knownKey(s *setting) string {
	if !s.everywhere() || s.name == "config" {
		return ""
	}
	return strconv.Quote(s.name)
}

func (r *tomlReader) put(s *setting, texts []string, at string) error {
	to := r.global
	switch {
	case r.signer != nil:
		to = r.signer.values
	case s.signer != nil:
		to = r.plainSigner()
	case s.issuer != nil:
		to = r.issuer.values
	}
	if given := to[s.name]; len(given) > 0 {
		return fmt.Errorf("%s: given twice, first as %s", at, given[0].at)
	}
	for _, t := range texts {
		to[s.name] = append(to[s.name], value{r.resolve(s, t), at})
	}
	return nil
}

// plainSigner is the signer of the keys that stand in [[issuer]] itself, which
// TOML has above every [[issuer.signer]].
func (r *tomlReader) plainSigner() values {
	if len(r.issuer.signers) == 0 {
		r.issuer.signers = []signerGroup{{at: r.issuer.at, values: values{}}}
	}
	return r.issuer.signers[0].values
}

// resolve makes paths relative to the folder of the file.
func (r *tomlReader) resolve(s *setting, t string) string {
	prefix := ""
	switch s.kind {
	case path, paths:
		if s.isToken(t) {
			return t
		}
		if s.signer != nil && strings.HasPrefix(t, unixPrefix) {
			prefix = unixPrefix
		}
	case listen, address:
		prefix = "unix:"
	case passin:
		prefix = "file:"
	default:
		return t
	}
	name, ok := strings.CutPrefix(t, prefix)
	if !ok || name == "" || filepath.IsAbs(name) || s.isCredential(t) {
		return t
	}
	return prefix + filepath.Join(r.folder, name)
}

// tomlTexts is a value as flags and environment would have it.
func tomlTexts(s *setting, n *unstable.Node) ([]string, error) {
	if n.Kind == unstable.Array && s.repeats() {
		var texts []string
		for it := n.Children(); it.Next(); {
			t, err := tomlText(s, it.Node())
			if err != nil {
				return nil, err
			}
			texts = append(texts, t)
		}
		return texts, nil
	}
	t, err := tomlText(s, n)
	return []string{t}, err
}

func tomlText(s *setting, n *unstable.Node) (string, error) {
	isNumber := s.kind == count || s.kind == seconds || s.kind == size || s.kind == port
	switch {
	case n.Kind == unstable.Bool && s.kind == boolean:
		return string(n.Data), nil
	case n.Kind == unstable.Integer && isNumber:
		i, err := strconv.ParseInt(strings.ReplaceAll(string(n.Data), "_", ""), 0, 64)
		return strconv.FormatInt(i, 10), err
	case n.Kind == unstable.String && s.kind != boolean && s.kind != count:
		return string(n.Data), nil
	}
	return "", errors.New("wrong type; write " + s.example())
}

// example shows how a setting looks in TOML.
func (s *setting) example() string {
	switch s.kind {
	case boolean:
		return s.name + " = true"
	case count:
		return s.name + " = 5"
	case seconds:
		return s.name + ` = "30s"`
	case duration:
		return s.name + ` = "12h"`
	case size:
		return s.name + ` = "64MiB"`
	case mode:
		return s.name + ` = "0660"`
	case port:
		return s.name + " = 2560"
	case paths, words, listen:
		return s.name + ` = ["…", "…"]`
	}
	return s.name + ` = "…"`
}
