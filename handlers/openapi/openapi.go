// Package openapi writes the description of an API for programs (OpenAPI
// 3.1.1) out of what the program itself is made of: its table of routes, and
// the Go types that it reads and writes. So a description cannot speak of a
// member that is not sent, nor forget one that is.
//
// A type is described by its own shape. Members have the names of their json
// tags, and are required unless they are omitted when empty. A pointer may be
// null. A doc tag is a member's description. The words that a type of words may
// hold are told once ([Document.Words]). Types with a name become schemas with
// that name.
package openapi

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Version is the version of OpenAPI that is written.
const Version = "3.1.1"

// Document is the description of one API.
type Document struct {
	title, version, says string
	base                 string // what all paths begin with
	paths                map[string]map[string]any
	schemes              map[string]any
	types                types
}

// New begins a description. base is the path under which the API lies.
func New(title, version, says, base string) *Document {
	return &Document{
		title: title, version: version, says: says, base: base,
		paths: map[string]map[string]any{}, schemes: map[string]any{}, types: newTypes(),
	}
}

// Scheme is one way to say who one is.
type Scheme struct {
	Type   string `json:"type"`
	Scheme string `json:"scheme,omitempty"`
	Format string `json:"bearerFormat,omitempty"`
	In     string `json:"in,omitempty"`
	Name   string `json:"name,omitempty"`
	Says   string `json:"description,omitempty"`
}

// Secure adds a way to say who one is, under a name for use in
// [Operation.Security].
func (d *Document) Secure(name string, s Scheme) { d.schemes[name] = s }

// Operation is what is said of one method of one path.
type Operation struct {
	ID      string
	Summary string
	Says    string
	Query   []Parameter
	// Path says what each parameter of the path is.
	Path map[string]string
	// Body is a value of the type that is sent; nil where nothing is.
	Body    any
	Answers []Answer
	// Security names the ways to say who one is, any of which will do; the
	// empty name stands for a visitor who does not.
	Security []string
}

// Parameter is one parameter of the query, which may be left out.
type Parameter struct {
	Name  string
	Says  string
	Of    any      // a value of its type
	Words []string // the values that it may have, if its type does not tell
	Max   int      // its longest length, if not zero
}

// Answer is one answer.
type Answer struct {
	Status int
	Says   string
	Type   string // media type; application/json if empty
	Body   any    // a value of its type; nil where the answer has no body
	// Headers says what each header is.
	Headers map[string]string
}

// Add describes what a method does at a path, which is written as in a table of
// routes: /courses/:course, with the base in front.
func (d *Document) Add(method, path string, o Operation) {
	path, params := template(strings.TrimPrefix(path, d.base))
	if d.paths[path] == nil {
		d.paths[path] = map[string]any{}
	}
	parameters := make([]any, 0, len(params)+len(o.Query))
	for _, name := range params {
		parameters = append(parameters, object{"name": name, "in": "path", "required": true, "description": o.Path[name], "schema": object{"type": "string"}})
	}
	for _, p := range o.Query {
		parameters = append(parameters, d.query(p))
	}
	operation := object{"operationId": o.ID, "summary": o.Summary, "responses": d.answers(o.Answers), "security": security(o.Security)}
	if o.Says != "" {
		operation["description"] = o.Says
	}
	if len(parameters) > 0 {
		operation["parameters"] = parameters
	}
	if o.Body != nil {
		operation["requestBody"] = object{"required": true, "content": d.content("application/json", o.Body)}
	}
	d.paths[path][strings.ToLower(method)] = operation
}

// object is an object of JSON; encoding/json writes its members in order.
type object = map[string]any

func (d *Document) query(p Parameter) any {
	schema := d.types.of(p.Of)
	if len(p.Words) > 0 {
		schema = object{"type": "string", "enum": p.Words}
	}
	if p.Max > 0 {
		schema["maxLength"] = p.Max
	}
	return object{"name": p.Name, "in": "query", "description": p.Says, "schema": schema}
}

func (d *Document) answers(all []Answer) any {
	answers := object{}
	for _, a := range all {
		said := a.Says
		if said == "" {
			said = http.StatusText(a.Status)
		}
		answer := object{"description": said}
		if a.Body != nil {
			answer["content"] = d.content(a.Type, a.Body)
		}
		if len(a.Headers) > 0 {
			headers := object{}
			for name, says := range a.Headers {
				headers[name] = object{"description": says, "schema": object{"type": "string"}}
			}
			answer["headers"] = headers
		}
		answers[strconv.Itoa(a.Status)] = answer
	}
	return answers
}

func (d *Document) content(media string, body any) any {
	if media == "" {
		media = "application/json"
	}
	return object{media: object{"schema": d.types.of(body)}}
}

func security(names []string) any {
	ways := make([]map[string][]string, len(names))
	for i, name := range names {
		ways[i] = map[string][]string{}
		if name != "" {
			ways[i][name] = []string{}
		}
	}
	return ways
}

// template writes a path as OpenAPI does, and lists its parameters.
func template(path string) (string, []string) {
	var params []string
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if name, ok := strings.CutPrefix(part, ":"); ok {
			parts[i] = "{" + name + "}"
			params = append(params, name)
		}
	}
	return strings.Join(parts, "/"), slices.Clip(params)
}

// JSON is the whole description.
func (d *Document) JSON() ([]byte, error) {
	return json.Marshal(object{
		"openapi":    Version,
		"info":       object{"title": d.title, "version": d.version, "description": d.says},
		"servers":    []any{object{"url": d.base}},
		"paths":      d.paths,
		"components": object{"schemas": d.types.schemas, "securitySchemes": d.schemes},
	})
}
