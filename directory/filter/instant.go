package filter

import "time"

// parseInstant reads an RFC 3339 or xsd:dateTime value without allocating:
// any number of fraction digits, of which nine count, and as zone Z, +hh:mm,
// +hhmm or none, which means UTC.
func parseInstant(s string) (time.Time, bool) {
	const layout = "0000-00-00T00:00:00"
	if len(s) < len(layout) || !fits(s, layout) {
		return time.Time{}, false
	}
	year, month, day := decimal(s[0:4]), decimal(s[5:7]), decimal(s[8:10])
	hour, minute, second := decimal(s[11:13]), decimal(s[14:16]), decimal(s[17:19])
	nano, s, ok := fraction(s[len(layout):])
	offset, zoned := zone(s)
	t := time.Date(year, time.Month(month), day, hour, minute, second, nano, time.UTC)
	ok = ok && zoned && year > 0 && month > 0 && month <= 12 && t.Day() == day &&
		hour < 24 && minute < 60 && second < 60
	return t.Add(-offset), ok
}

// fits compares s with a layout in which 0 stands for any digit.
func fits(s, layout string) bool {
	for i := 0; i < len(layout); i++ {
		if layout[i] == '0' && !isDigit(s[i]) || layout[i] != '0' && s[i]&^0x20 != layout[i]&^0x20 {
			return false
		}
	}
	return true
}

func decimal(digits string) int {
	n := 0
	for i := 0; i < len(digits); i++ {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}

// fraction reads ".ddd" as nanoseconds and returns what follows.
func fraction(s string) (nano int, rest string, ok bool) {
	if s == "" || s[0] != '.' {
		return 0, s, true
	}
	digits := leadingDigits(s[1:])
	for i := range 9 {
		nano *= 10
		if i < digits {
			nano += int(s[1+i] - '0')
		}
	}
	return nano, s[1+digits:], digits > 0
}

func zone(s string) (time.Duration, bool) {
	switch {
	case s == "" || s == "Z" || s == "z":
		return 0, true
	case len(s) == len("+00:00") && s[3] == ':':
		s = s[:3] + s[4:]
	case len(s) != len("+0000"):
		return 0, false
	}
	if s[0] != '+' && s[0] != '-' || !fits(s[1:], "0000") {
		return 0, false
	}
	hours, minutes := decimal(s[1:3]), decimal(s[3:5])
	offset := time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute
	if s[0] == '-' {
		offset = -offset
	}
	return offset, hours < 24 && minutes < 60
}
