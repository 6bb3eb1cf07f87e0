package filter

import "testing"

// tenFilters are the ones that identity providers send most.
var tenFilters = []string{
	`userName eq "bjensen@example.com"`,
	`externalId eq "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef"`,
	`emails[type eq "work"].value eq "bjensen@example.com"`,
	`emails.value eq "bjensen@example.com"`,
	`displayName eq "Engineering"`,
	`id eq "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b" and members eq "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5c"`,
	`userName sw "bjensen"`,
	`active eq true`,
	`meta.lastModified ge "2026-05-13T04:42:34.1234567Z"`,
	`userName eq "bjensen@example.com" or emails[type eq "work" and primary eq true]`,
}

func BenchmarkTenCommonest(b *testing.B) {
	for _, text := range tenFilters {
		b.Run(text, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(text); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestTheCommonestFiltersAreReadInFewAllocations(t *testing.T) {
	for _, text := range tenFilters {
		if n := testing.AllocsPerRun(100, func() { _, _ = Parse(text) }); n > 10 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}
