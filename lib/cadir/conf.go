package cadir

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// conf is a configuration of openssl (config(5ssl)): values by section and
// name, with variables already replaced.
type conf map[string]map[string]string

// defaultSection is what stands above all sections, and what every other
// section falls back to.
const defaultSection = "default"

// elsewhere stands for a variable of the environment that the CA ran in.
const elsewhere = "\x00"

// These are far above what any openssl.cnf and any path in it have.
const (
	maxConf  = 1 << 20
	maxValue = 4096
)

func readConf(path string) (conf, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := parseConf(io.LimitReader(f, maxConf))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func parseConf(r io.Reader) (conf, error) {
	c, section := conf{}, defaultSection
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxConf)
	begun := ""
	for lines.Scan() {
		line := begun + uncomment(lines.Text())
		if begun = ""; strings.HasSuffix(line, `\`) {
			begun = strings.TrimSuffix(line, `\`)
			continue
		}
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			section = strings.TrimSpace(strings.Trim(line, "[]"))
			continue
		}
		name, value, found := strings.Cut(line, "=")
		if !found {
			continue // .include, .pragma and what is none of our business
		}
		in, name := section, strings.TrimSpace(name)
		if other, rest, qualified := strings.Cut(name, "::"); qualified {
			in, name = other, rest
		}
		if c[in] == nil {
			c[in] = map[string]string{}
		}
		value = c.expand(section, strings.TrimSpace(value))
		if len(value) > maxValue {
			return nil, fmt.Errorf("a value of more than %d bytes", maxValue)
		}
		c[in][name] = value
	}
	return c, lines.Err()
}

// uncomment cuts off a comment, which is none within quotes.
func uncomment(line string) string {
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		switch b := line[i]; {
		case b == '\\':
			i++
		case quote != 0 && b == quote:
			quote = 0
		case quote == 0 && (b == '"' || b == '\''):
			quote = b
		case quote == 0 && b == '#':
			return line[:i]
		}
	}
	return line
}

// expand takes quotes off and puts values in the place of $name, ${name},
// $(name), and each with a section: $section::name.
func (c conf) expand(section, value string) string {
	var out strings.Builder
	for i := 0; i < len(value); i++ {
		switch value[i] {
		case '"', '\'':
		case '\\':
			if i++; i < len(value) {
				out.WriteByte(value[i])
			}
		case '$':
			name, length := variable(value[i+1:])
			i += length
			out.WriteString(c.variable(section, name))
		default:
			out.WriteByte(value[i])
		}
	}
	return out.String()
}

// variable returns the name behind a dollar sign, and what it takes in all.
func variable(s string) (name string, length int) {
	for _, brackets := range []string{"{}", "()"} {
		if s != "" && s[0] == brackets[0] {
			if end := strings.IndexByte(s, brackets[1]); end > 0 {
				return s[1:end], end + 1
			}
		}
	}
	end := 0
	for end < len(s) && (s[end] == '_' || s[end]|0x20 >= 'a' && s[end]|0x20 <= 'z' || s[end] >= '0' && s[end] <= '9' ||
		strings.HasPrefix(s[end:], "::") || end > 0 && strings.HasPrefix(s[end-1:], "::")) {
		end++
	}
	return s[:end], end
}

func (c conf) variable(section, name string) string {
	if other, rest, qualified := strings.Cut(name, "::"); qualified {
		section, name = other, rest
	}
	if section == "ENV" {
		return elsewhere
	}
	return c.get(section, name)
}

// get falls back to the default section, as openssl does.
func (c conf) get(section, name string) string {
	if value, ok := c[section][name]; ok {
		return value
	}
	return c[defaultSection][name]
}

// configured goes by the openssl.cnf of the directory, or by another
// configuration that describes a CA; several have to describe the same one.
func (s *search) configured() (bool, error) {
	var from []string
	for _, pattern := range []string{"*.cnf", "*.conf"} {
		paths, err := filepath.Glob(filepath.Join(escape(s.dir), pattern))
		if err != nil {
			return false, err
		}
		from = append(from, paths...)
	}
	var taken string
	for _, path := range from {
		c, err := readConf(path)
		if err != nil {
			return false, err
		}
		section := c.get("ca", "default_ca")
		if section == "" || c.get(section, "database") == "" || c.get(section, "certificate") == "" {
			continue
		}
		index, ca, key, err := s.locateAll(path, c, section)
		if err != nil {
			return false, err
		}
		if taken != "" && (index.Path != s.Index.Path || ca.Path != s.CA.Path) {
			return false, ambiguous("configuration of the CA", []string{taken, path}, "say what to take with -index, -CA, -rsigner and -rkey instead of -ca-dir")
		}
		if taken == "" {
			taken, s.Index, s.CA, s.caKey = path, index, ca, key
		}
	}
	return taken != "", nil
}

func (s *search) locateAll(path string, c conf, section string) (index, ca, key File, err error) {
	locate := func(name string) (File, error) {
		file, err := s.locate(c.get(section, name))
		if err != nil {
			return File{}, fmt.Errorf("%s in [%s] of %s: %w", name, section, path, err)
		}
		return File{file, name + " in " + path}, nil
	}
	if index, err = locate("database"); err != nil {
		return
	}
	if s.given.CA == "" {
		if ca, err = locate("certificate"); err != nil {
			return
		}
	}
	if c.get(section, "private_key") != "" {
		var absent error
		if key, absent = locate("private_key"); absent != nil {
			key = File{} // a responder does well without the CA's key
		}
	}
	return
}

// locate finds the file of a value: as it is written or, where the directory
// was moved or openssl ran in another one, by the end of it below the directory.
func (s *search) locate(value string) (string, error) {
	shown := strings.ReplaceAll(value, elsewhere, "$ENV")
	written := value
	if !filepath.IsAbs(value) {
		written = filepath.Join(s.dir, value)
	}
	below := ""
	parts := strings.Split(filepath.Clean(value), "/")
	for i := range parts {
		path := filepath.Join(append([]string{s.dir}, parts[i:]...)...)
		if parts[i] != "" && parts[i] != ".." && isFile(path) {
			below = path
			break
		}
	}
	isWritten := isFile(written)
	switch {
	case isWritten && below != "" && !sameAsOne(written, []string{below}):
		return "", fmt.Errorf("it says %s, and there is %s as well; say which with -index, -CA, -rsigner and -rkey instead of -ca-dir", shown, below)
	case below != "":
		return below, nil
	case isWritten:
		return written, nil
	}
	return "", fmt.Errorf("it says %s, which is not there, nor below %s", shown, s.dir)
}

// escape keeps the characters of a directory from being a pattern.
func escape(dir string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(dir)
}
