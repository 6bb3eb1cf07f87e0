package filter

import "strings"

// attributePath reads [URI ":"] name ["." name]. The URI ends at the last
// colon, because versions inside it contain dots.
func (p *parser) attributePath() (AttributePath, error) {
	start, colon := p.pos, -1
	end := start
	for end < len(p.text) && isPathByte(p.text[end]) {
		if p.text[end] == ':' {
			colon = end
		}
		end++
	}
	p.looked += end - start
	var path AttributePath
	if colon >= 0 {
		uri := p.text[start:colon]
		if !isURI(uri) {
			return path, p.fail("a schema URI has no empty part, found %s", p.rest())
		}
		path.URIPrefix = &uri
		p.pos = colon + 1
	}
	name, err := p.name()
	if err != nil {
		return path, err
	}
	path.AttributeName = name
	if p.peek() == '.' {
		path.SubAttribute, err = p.subAttribute()
	}
	return path, err
}

// subAttribute reads "." name.
func (p *parser) subAttribute() (*string, error) {
	p.pos++
	name, err := p.name()
	return &name, err
}

// name reads ALPHA *("-" / "_" / DIGIT / ALPHA), with a dollar sign in front
// for $ref.
func (p *parser) name() (string, error) {
	start, end := p.pos, p.pos
	if p.peek() == '$' {
		end++
	}
	if end >= len(p.text) || !isAlpha(p.text[end]) {
		return "", p.fail("an attribute name is expected (a letter, then letters, digits, - and _), found %s", p.rest())
	}
	for end < len(p.text) && isNameByte(p.text[end]) {
		end++
	}
	p.looked += end - start
	p.pos = end
	return p.text[start:end], nil
}

func isURI(s string) bool {
	return s != "" && s[0] != ':' && s[len(s)-1] != ':' && !strings.Contains(s, "::")
}

func isAlpha(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' }

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func isNameByte(b byte) bool { return isAlpha(b) || isDigit(b) || b == '-' || b == '_' }

// isPathByte holds for names and for what schema URNs consist of.
func isPathByte(b byte) bool {
	return isNameByte(b) || b == ':' || b == '.' || b == '$' || b == '~' || b == '%'
}
