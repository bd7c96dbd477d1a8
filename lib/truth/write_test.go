package truth_test

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"time"
)

// way is a way to bring an index up to date.
type way struct {
	name    string
	inPlace bool // rows are gone for a while that are in both, the old and the new one
	between bool // for so long that the file is taken for whole
	cut     bool // it ends within a row for a while
	// write makes data what is at path. It tells how much of it is there once
	// more is.
	write func(rng *rand.Rand, path string, data []byte, there func(n int)) error
}

// ways are those that take whatever is to be written, the renames first. An index
// that only grows may be appended to as well.
var ways = []way{
	{name: "openssl ca's two renames", write: twoRenames},
	{name: "a rename", write: oneRename},
	{name: "a rename of an old file", write: oldRename},
	{name: "cp", inPlace: true, write: copyOver},
	{name: "cp -p", inPlace: true, write: copyOld},
	{name: "a copy by rows", inPlace: true, write: copyBy(betweenRows, 15)},
	{name: "a slow copy", inPlace: true, write: copyBy(withinRows, 150)},
	{name: "a slow copy by rows", inPlace: true, between: true, write: copyBy(betweenRows, 150)},
}

// renames are the ways that have no row gone.
var renames = ways[:3]

// beside writes path.new.
func beside(path string, data []byte) (string, error) {
	name := path + ".new"
	return name, os.WriteFile(name, data, 0o644)
}

// twoRenames is what openssl ca does: there is no index for a moment.
func twoRenames(_ *rand.Rand, path string, data []byte, there func(int)) error {
	name, err := beside(path, data)
	err = errors.Join(err, os.Rename(path, path+".old"), os.Rename(name, path))
	there(len(data))
	return err
}

func oneRename(_ *rand.Rand, path string, data []byte, there func(int)) error {
	name, err := beside(path, data)
	err = errors.Join(err, os.Rename(name, path))
	there(len(data))
	return err
}

// oldRename is for a file that was made elsewhere, an hour ago.
func oldRename(_ *rand.Rand, path string, data []byte, there func(int)) error {
	name, err := beside(path, data)
	err = errors.Join(err, age(name), os.Rename(name, path))
	there(len(data))
	return err
}

func age(path string) error {
	then := time.Now().Add(-time.Hour).Truncate(time.Second)
	return os.Chtimes(path, then, then)
}

// copyOver is cp: the file is empty, and then it is full.
func copyOver(_ *rand.Rand, path string, data []byte, there func(int)) error {
	err := os.WriteFile(path, data, 0o644)
	there(len(data))
	return err
}

// copyOld is cp -p.
func copyOld(rng *rand.Rand, path string, data []byte, there func(int)) error {
	return errors.Join(copyOver(rng, path, data, there), age(path))
}

// copyBy is scp over a slow line: it writes pieces that end in places of a kind,
// with pauses of up to so many milliseconds between them.
func copyBy(place func(data []byte, end int) int, most int) func(*rand.Rand, string, []byte, func(int)) error {
	return func(rng *rand.Rand, path string, data []byte, there func(int)) error {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
		if err != nil {
			return err
		}
		return errors.Join(pieces(rng, f, data, place, most, there), f.Close())
	}
}

// appended returns the way to write what begins with the first have bytes.
func appended(have int) way {
	return way{name: "appending", cut: true, write: func(rng *rand.Rand, path string, data []byte, there func(int)) error {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		err = pieces(rng, f, data[have:], withinRows, 150, func(n int) { there(have + n) })
		return errors.Join(err, f.Close())
	}}
}

// appendedAtOnce is appended with one write.
func appendedAtOnce(have int) way {
	return way{name: "appending at once", write: func(_ *rand.Rand, path string, data []byte, there func(n int)) error {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return err
		}
		_, err = f.Write(data[have:])
		there(len(data))
		return errors.Join(err, f.Close())
	}}
}

// pieces writes data in a few pieces, with pauses.
func pieces(rng *rand.Rand, w io.Writer, data []byte, place func([]byte, int) int, most int, there func(int)) error {
	count := 1 + rng.IntN(8)
	for i, at := 0, 0; at < len(data); i++ {
		end := place(data, min(len(data), at+1+rng.IntN(2*len(data)/count+1)))
		if i == count {
			end = len(data)
		}
		if _, err := w.Write(data[at:end]); err != nil {
			return err
		}
		there(end)
		if at = end; at < len(data) {
			pause(rng, most)
		}
	}
	return nil
}

// betweenRows is the end of the row that ends there or later.
func betweenRows(data []byte, end int) int {
	for end < len(data) && data[end-1] != '\n' {
		end++
	}
	return end
}

// withinRows is no end of a row but the last one.
func withinRows(data []byte, end int) int {
	for end < len(data) && data[end-1] == '\n' {
		end++
	}
	return end
}

// pause waits for up to so many milliseconds.
func pause(rng *rand.Rand, most int) {
	time.Sleep(time.Duration(rng.IntN(most*1000)) * time.Microsecond)
}
