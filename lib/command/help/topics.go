package help

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"ocspcgi/lib/config"
)

// pages are manual pages and guides; each file is a topic of the name that it
// has without its ending.
//
//go:embed *.txt guides
var pages embed.FS

// Topic is what can be asked for.
type Topic struct {
	Name, Title string

	file string // of pages; empty: the table of settings
}

// Topics lists all topics by their names.
func Topics() []Topic {
	topics := []Topic{{Name: "settings", Title: "every flag, variable and key, as a table"}}
	fs.WalkDir(pages, ".", func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			text := page(file)
			topics = append(topics, Topic{Name: nameOf(file), Title: titleOf(text), file: file})
		}
		return err
	})
	slices.SortFunc(topics, func(a, b Topic) int { return strings.Compare(a.Name, b.Name) })
	return topics
}

func nameOf(file string) string { return strings.TrimSuffix(path.Base(file), path.Ext(file)) }

// titleOf is the heading of a guide, or what the NAME of a manual page says
// behind the dash.
func titleOf(text string) string {
	first, rest, _ := strings.Cut(text, "\n")
	if title, ok := strings.CutPrefix(first, "# "); ok {
		return title
	}
	_, rest, _ = strings.Cut(rest, " - ")
	title, _, _ := strings.Cut(rest, "\n")
	return title
}

// page reads a page, which is there.
func page(file string) string {
	text, err := pages.ReadFile(file)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// Has reports whether there is a page about a topic, which goes before a verb of
// that name: that says with -h what it takes.
func Has(topic string) bool {
	return slices.ContainsFunc(Topics(), func(t Topic) bool { return t.Name == topic })
}

// Text is what is known of a topic.
func Text(topic string) (string, error) {
	var names []string
	for _, t := range Topics() {
		names = append(names, t.Name)
		switch {
		case t.Name != topic:
		case t.file == "":
			var table strings.Builder
			err := config.Table(&table)
			return table.String(), err
		default:
			return fill(page(t.file)), nil
		}
	}
	return "", fmt.Errorf("%s: no such topic; there are: %s", topic, strings.Join(names, ", "))
}
