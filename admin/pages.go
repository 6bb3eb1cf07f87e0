package admin

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/url"
	"path"
	"strings"
	"time"

	"muster/directory"
)

//go:embed templates/*.html
var templates embed.FS

// view is what every template sees. Data is the page's own.
type view struct {
	Page    string // the template's name
	Title   string
	Notice  string // what was just done
	Acting  directory.Acting
	Session directory.AdminSession
	Org     *directory.Org // of the page, nil for none
	Menu    []menuItem
	// NoWayBack: the visitor came by a link and could not come again.
	NoWayBack bool
	Data      any
}

// menuItem is a page of the menu.
type menuItem struct {
	Name, Address string
	Current       bool
}

// readPages parses each page together with the layout and the parts (templates whose name begins with "_").
func (s *Server) readPages() error {
	s.templates = map[string]*template.Template{}
	common, err := template.New("").Funcs(s.functions()).ParseFS(templates, "templates/_*.html")
	if err != nil {
		return fmt.Errorf("admin: %w", err)
	}
	names, err := fs.Glob(templates, "templates/*.html")
	if err != nil {
		return err
	}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if strings.HasPrefix(name, "_") {
			continue
		}
		own, err := common.Clone()
		if err == nil {
			own, err = own.ParseFS(templates, file)
		}
		if err != nil {
			return fmt.Errorf("admin: page %s: %w", name, err)
		}
		s.templates[name] = own
	}
	return nil
}

// functions are what templates may call.
func (s *Server) functions() template.FuncMap {
	return template.FuncMap{
		"t":      s.texts.text,
		"static": s.staticAddress,
		"moment": moment,
		"span":   span,
		"show":   showValue,
		"path":   url.PathEscape,
		"list":   func(list ...any) []any { return list },
		"fault":  s.faultText,
		"id":     func(id directory.ID) bool { return id != directory.NoID },
	}
}

// faultText is what a form says is wrong: a key of the texts, or a sentence of the directory.
func (s *Server) faultText(fault string) string {
	if text, ok := s.texts[fault]; ok {
		return text
	}
	return fault
}

// moment is a time as pages show it.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// span is a length of time without what is zero at its end.
func span(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// showValue is an attribute's value on one line.
func showValue(v directory.Value) string {
	elements := make([]string, len(v))
	for i, e := range v {
		elements[i] = showElement(e)
	}
	return strings.Join(elements, ", ")
}

func showElement(e directory.Element) string {
	text := e.Field("value")
	var rest []string
	for _, f := range e {
		if f.Name != "value" {
			rest = append(rest, f.Name+": "+f.Text)
		}
	}
	if len(rest) == 0 {
		return text
	}
	return strings.TrimSpace(text + " (" + strings.Join(rest, ", ") + ")")
}

// render shows a page, whole or, when a template is at fault, not at all.
func (v *visit) render(status int, name string, data any) error {
	s := v.server
	t := s.templates[name]
	if t == nil {
		return fmt.Errorf("there is no page %q", name)
	}
	w, err := v.view(name, data)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, "layout", w); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	return v.HTMLBlob(status, b.Bytes())
}

func (v *visit) view(name string, data any) (view, error) {
	title, err := v.server.texts.text(name + ".title")
	if err != nil {
		return view{}, err
	}
	w := view{Page: name, Title: title, Acting: v.acting, Session: v.session, Menu: v.menu(), Data: data}
	if v.session.Method == methodLink {
		_, c, err := v.server.directory.Administrator(v.Request().Context(), v.session.Administrator)
		if err != nil {
			return view{}, err
		}
		w.NoWayBack = !c.SignsIn()
	}
	if v.policy != nil {
		w.Org = v.policy.Org
	}
	if done := v.QueryParam("done"); done != "" && v.server.texts["done."+done] != "" {
		w.Notice = v.server.texts["done."+done]
	}
	return w, nil
}

// menu lists the pages that the visitor may open where they are.
func (v *visit) menu() (list []menuItem) {
	for _, p := range v.server.pages() {
		about := ""
		if p.isAboutOrg() {
			about = v.org()
		}
		if p.menu == "" || p.isAboutOrg() != (v.policy != nil) || !v.acting.Grants.May(p.need, about) {
			continue
		}
		address := strings.ReplaceAll(p.path, ":org", url.PathEscape(about))
		here := v.Request().URL.Path
		list = append(list, menuItem{p.menu, address, here == address || p.menu != "dashboard" && strings.HasPrefix(here, address+"/")})
	}
	return list
}
