package admin

import (
	"bufio"
	_ "embed" // the texts
	"fmt"
	"strings"
)

//go:embed english.txt
var english string

// texts are the sentences of the pages, by key. They stand in english.txt, one "key = text" a line.
type texts map[string]string

func (s *Server) readTexts() (err error) {
	s.texts, err = parseTexts(english)
	return err
}

func parseTexts(content string) (texts, error) {
	list := texts{}
	lines := bufio.NewScanner(strings.NewReader(content))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, text, ok := strings.Cut(line, " = ")
		if _, twice := list[name]; !ok || twice {
			return nil, fmt.Errorf("admin: english.txt:%d: not \"key = text\", or there twice", n)
		}
		list[name] = text
	}
	return list, lines.Err()
}

// text is a sentence, with what it tells filled in. A key without a text is a fault of the page.
func (t texts) text(key string, args ...any) (string, error) {
	text, ok := t[key]
	if !ok {
		return "", fmt.Errorf("no text for %q", key)
	}
	if len(args) == 0 {
		return text, nil
	}
	return fmt.Sprintf(text, args...), nil
}
