package check

import (
	"fmt"
	"strings"
)

// flags are those that are check's own.
type flags struct {
	json bool
	as   string
}

// take reads the flags that are check's own, and returns the others.
func (f *flags) take(args []string) (rest []string, err error) {
	own := map[string]*string{"as": &f.as}
	for i := 0; i < len(args); i++ {
		name, isFlag := strings.CutPrefix(args[i], "-")
		name = strings.TrimPrefix(name, "-")
		value := own[name]
		switch {
		case !isFlag:
			rest = append(rest, args[i])
		case name == "json":
			f.json = true
		case name == "h" || name == "?":
			rest = append(rest, "-help")
		case value == nil:
			rest = append(rest, args[i])
		case i+1 == len(args) || args[i+1] == "":
			return nil, fmt.Errorf("-%s: needs %s", name, wants[name])
		default:
			i++
			*value = args[i]
		}
	}
	return rest, nil
}

// wants is what each flag has behind it.
var wants = map[string]string{"as": "a user"}
