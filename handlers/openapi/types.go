package openapi

import (
	"reflect"
	"strings"
	"time"
	"unicode"
)

// types are the Go types that have been described, by the names of their
// schemas.
type types struct {
	schemas object
	words   map[reflect.Type][]string
}

func newTypes() types { return types{object{}, map[reflect.Type][]string{}} }

// Words tells which words a type of words may hold, all of them.
func Words[T ~string](d *Document, words []T) {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = string(word)
	}
	d.types.words[reflect.TypeFor[T]()] = all
}

// Closed is implemented by a type of which no other member is accepted than
// those that it has.
type Closed interface {
	// Closed tells it apart; it does nothing.
	Closed()
}

// of describes the type of a value.
func (t types) of(value any) object { return t.schema(reflect.TypeOf(value)) }

func (t types) schema(of reflect.Type) object {
	if words, ok := t.words[of]; ok {
		return object{"type": "string", "enum": words}
	}
	switch {
	case of == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case of == reflect.TypeFor[map[string]any]():
		return object{"type": "object"}
	}
	switch of.Kind() {
	case reflect.String:
		return object{"type": "string"}
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.Int:
		return object{"type": "integer"}
	case reflect.Float64:
		return object{"type": "number"}
	case reflect.Pointer:
		return orNull(t.schema(of.Elem()))
	case reflect.Slice:
		return object{"type": "array", "items": t.schema(of.Elem())}
	case reflect.Map:
		return object{"type": "object", "additionalProperties": t.schema(of.Elem())}
	case reflect.Struct:
		return t.named(of)
	}
	panic("openapi: no schema for " + of.String())
}

// orNull describes what may also be missing.
func orNull(schema object) object {
	if kind, ok := schema["type"]; ok && schema["enum"] == nil {
		schema["type"] = []any{kind, "null"}
		return schema
	}
	return object{"oneOf": []any{schema, object{"type": "null"}}}
}

// named describes a struct once and returns a reference to it; a struct without
// a name is described where it stands.
func (t types) named(of reflect.Type) object {
	name := schemaName(of.Name())
	if name == "" {
		return t.structure(of)
	}
	if _, known := t.schemas[name]; !known {
		t.schemas[name] = nil // a type may hold itself
		t.schemas[name] = t.structure(of)
	}
	return object{"$ref": "#/components/schemas/" + name}
}

// schemaName is how a Go type is called outside: courseJSON is Course.
func schemaName(name string) string {
	name = strings.TrimSuffix(name, "JSON")
	if name == "" {
		return ""
	}
	return string(unicode.ToUpper(rune(name[0]))) + name[1:]
}

func (t types) structure(of reflect.Type) object {
	properties, required := object{}, []string{}
	for _, f := range reflect.VisibleFields(of) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" || name == "-" {
			continue
		}
		property := t.schema(f.Type)
		if says := f.Tag.Get("doc"); says != "" {
			property["description"] = says
		}
		properties[name] = property
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			required = append(required, name)
		}
	}
	schema := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	if of.Implements(reflect.TypeFor[Closed]()) {
		schema["additionalProperties"] = false
	}
	return schema
}
