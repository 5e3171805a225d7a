package assets

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// prefix is where the assets live on the site.
const prefix = "/assets/"

// set is everything that is served, ready to be sent.
type set struct {
	urls    map[string]string // plain name → address
	files   map[string]*file  // address → content
	symbols map[string]string // id of a drawing → address with fragment
}

// build reads the assets of fsys; sheets names the parts of app.css.
func build(fsys fs.FS, sheets []string) (*set, error) {
	s := &set{urls: map[string]string{}, files: map[string]*file{}, symbols: map[string]string{}}
	for _, step := range []func() error{
		func() error { return s.addAll(fsys, "fonts/*.woff2") },
		func() error { return s.addAll(fsys, "*.svg") },
		func() error { return s.addStylesheet(fsys, sheets) },
		func() error { return s.addScripts(fsys) },
		func() error { return s.addFigures(fsys) },
		func() error { return s.addSymbols(fsys) },
	} {
		if err := step(); err != nil {
			return nil, fmt.Errorf("assets: %w", err)
		}
	}
	return s, nil
}

// add serves content under the hashed form of name.
func (s *set) add(name string, content []byte) error {
	f, err := newFile(name, content, forEver)
	if err != nil {
		return err
	}
	ext := path.Ext(name)
	url := prefix + strings.TrimSuffix(name, ext) + "." + f.hash[:8] + ext
	s.urls[name], s.files[url] = url, f
	return nil
}

func (s *set) addAll(fsys fs.FS, pattern string) error {
	names, err := fs.Glob(fsys, pattern)
	if err != nil {
		return err
	}
	for _, name := range names {
		content, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		if err := s.add(path.Base(name), content); err != nil {
			return err
		}
	}
	return nil
}

var fontURL = regexp.MustCompile(`url\(\.\./fonts/([^)]+)\)`)

// addStylesheet joins the parts of app.css and points them to the fonts'
// hashed addresses.
func (s *set) addStylesheet(fsys fs.FS, sheets []string) error {
	found, err := fs.Glob(fsys, "css/*.css")
	if err != nil {
		return err
	}
	for _, name := range found {
		if !slices.Contains(sheets, strings.TrimSuffix(path.Base(name), ".css")) {
			return fmt.Errorf("%s is not in the list of stylesheets", name)
		}
	}
	var sheet bytes.Buffer
	for _, name := range sheets {
		part, err := fs.ReadFile(fsys, "css/"+name+".css")
		if err != nil {
			return err
		}
		sheet.Write(part)
	}
	css, err := rewrite(fontURL, sheet.Bytes(), func(font string) (string, error) {
		url, ok := s.urls[font]
		if !ok {
			return "", fmt.Errorf("app.css: there is no font %s", font)
		}
		return "url(" + url + ")", nil
	})
	if err != nil {
		return err
	}
	return s.add("app.css", css)
}

var neighbour = regexp.MustCompile(`"\./([\w-]+\.js)"`)

// addScripts serves the scripts. Where one names another, the other's hashed
// name is put in; so the other comes first, and two cannot name each other.
func (s *set) addScripts(fsys fs.FS) error {
	var add func(name string, importers []string) error
	add = func(name string, importers []string) error {
		if _, done := s.urls[name]; done {
			return nil
		}
		if slices.Contains(importers, name) {
			return fmt.Errorf("js/%s imports itself by way of %s", name, strings.Join(importers, ", "))
		}
		content, err := fs.ReadFile(fsys, "js/"+name)
		if err != nil {
			return err
		}
		content, err = rewrite(neighbour, content, func(other string) (string, error) {
			if err := add(other, append(importers, name)); err != nil {
				return "", err
			}
			return `"./` + path.Base(s.urls[other]) + `"`, nil
		})
		if err != nil {
			return err
		}
		return s.add(name, content)
	}
	names, err := fs.Glob(fsys, "js/*.js")
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := add(path.Base(name), nil); err != nil {
			return err
		}
	}
	return nil
}

// addFigures serves the figures under their own names.
func (s *set) addFigures(fsys fs.FS) error {
	names, err := fs.Glob(fsys, "figures/*.svg")
	if err != nil {
		return err
	}
	for _, name := range names {
		content, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		f, err := newFile(name, content, anHour)
		if err != nil {
			return err
		}
		f.policy = inert
		s.files[prefix+name] = f
	}
	return nil
}

var symbolID = regexp.MustCompile(`<symbol id="([\w-]+)"`)

// addSymbols notes which drawings the sprite holds.
func (s *set) addSymbols(fsys fs.FS) error {
	const sprite = "icons.svg"
	content, err := fs.ReadFile(fsys, sprite)
	if err != nil {
		return err
	}
	for _, m := range symbolID.FindAllSubmatch(content, -1) {
		s.symbols[string(m[1])] = s.urls[sprite] + "#" + string(m[1])
	}
	if len(s.symbols) == 0 {
		return fmt.Errorf("%s holds no drawings", sprite)
	}
	return nil
}

func (s *set) symbol(id string) (string, error) {
	url, ok := s.symbols[id]
	if !ok {
		return "", fmt.Errorf("assets: icons.svg holds no %s", id)
	}
	return url, nil
}

// rewrite replaces every match of pattern by what with makes of its first
// group, and stops at the first error.
func rewrite(pattern *regexp.Regexp, text []byte, with func(group string) (string, error)) ([]byte, error) {
	var failed error
	text = pattern.ReplaceAllFunc(text, func(match []byte) []byte {
		if failed != nil {
			return nil
		}
		var replacement string
		replacement, failed = with(string(pattern.FindSubmatch(match)[1]))
		return []byte(replacement)
	})
	return text, failed
}

func hashOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:16])
}
