package openapi_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"lectern/handlers/openapi"
)

type colour string

type baseJSON struct {
	Name string `json:"name" doc:"what it is called"`
}

type thingJSON struct {
	baseJSON
	Colour colour     `json:"colour"`
	Made   time.Time  `json:"made"`
	Broken *time.Time `json:"broken"`
	Shade  *colour    `json:"shade"`
	Size   *int       `json:"size,omitempty"`
	Parts  []partJSON `json:"parts"`
	Place  struct {
		X float64 `json:"x"`
	} `json:"place"`
}

type partJSON struct {
	Whole *thingJSON `json:"whole" doc:"what it is a part of"`
	Works bool       `json:"works"`
}

func (partJSON) Closed() {}

// TestDocument_isThis is the whole of it, in one example.
func TestDocument_isThis(t *testing.T) {
	d := openapi.New("Things", "2", "An API.", "/api")
	openapi.Words(d, []colour{"red", "blue"})
	d.Secure("key", openapi.Scheme{Type: "http", Scheme: "bearer"})
	d.Add("PUT", "/api/things/:thing/part", openapi.Operation{
		ID: "putPart", Summary: "Put a part", Says: "In its place.", Body: partJSON{}, Security: []string{"", "key"},
		Path:    map[string]string{"thing": "which one"},
		Query:   []openapi.Parameter{{Name: "c", Of: colour(""), Says: "a colour"}, {Name: "w", Of: "", Words: []string{"a", "b"}}, {Name: "q", Of: "", Max: 7}},
		Answers: []openapi.Answer{{Status: 200, Says: "Done.", Body: thingJSON{}}, {Status: 404, Type: "text/plain", Body: "", Headers: map[string]string{"X": "a header"}}, {Status: 204}},
	})
	got, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"openapi":"3.1.1","info":{"title":"Things","version":"2","description":"An API."},"servers":[{"url":"/api"}],
	"paths":{"/things/{thing}/part":{"put":{"operationId":"putPart","summary":"Put a part","description":"In its place.","security":[{},{"key":[]}],
		"parameters":[
			{"name":"thing","in":"path","required":true,"description":"which one","schema":{"type":"string"}},
			{"name":"c","in":"query","description":"a colour","schema":{"type":"string","enum":["red","blue"]}},
			{"name":"w","in":"query","description":"","schema":{"type":"string","enum":["a","b"]}},
			{"name":"q","in":"query","description":"","schema":{"type":"string","maxLength":7}}],
		"requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/Part"}}}},
		"responses":{
			"200":{"description":"Done.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Thing"}}}},
			"204":{"description":"No Content"},
			"404":{"description":"Not Found","content":{"text/plain":{"schema":{"type":"string"}}},"headers":{"X":{"description":"a header","schema":{"type":"string"}}}}}}}},
	"components":{"securitySchemes":{"key":{"type":"http","scheme":"bearer"}},"schemas":{
		"Part":{"type":"object","additionalProperties":false,"required":["whole","works"],"properties":{
			"whole":{"oneOf":[{"$ref":"#/components/schemas/Thing"},{"type":"null"}],"description":"what it is a part of"},"works":{"type":"boolean"}}},
		"Thing":{"type":"object","required":["name","colour","made","broken","shade","parts","place"],"properties":{
			"name":{"type":"string","description":"what it is called"},
			"colour":{"type":"string","enum":["red","blue"]},
			"made":{"type":"string","format":"date-time"},
			"broken":{"type":["string","null"],"format":"date-time"},
			"shade":{"oneOf":[{"type":"string","enum":["red","blue"]},{"type":"null"}]},
			"size":{"type":["integer","null"]},
			"parts":{"type":"array","items":{"$ref":"#/components/schemas/Part"}},
			"place":{"type":"object","required":["x"],"properties":{"x":{"type":"number"}}}}}}}}`
	if read(t, got) == nil || !reflect.DeepEqual(read(t, got), read(t, []byte(want))) {
		t.Errorf("got %s", got)
	}
}

func read(t *testing.T, text []byte) (into any) {
	t.Helper()
	if err := json.Unmarshal(text, &into); err != nil {
		t.Fatal(err)
	}
	return into
}

// A type that nobody has thought of stops the program when it starts, not a
// reader of the description.
func TestDocument_knowsNoOtherTypes(t *testing.T) {
	defer func() {
		if said, _ := recover().(string); !strings.Contains(said, "chan int") {
			t.Errorf("said %q", said)
		}
	}()
	openapi.New("", "", "", "").Add("GET", "/", openapi.Operation{Answers: []openapi.Answer{{Status: 200, Body: make(chan int)}}})
}
