package crawlers

// All is every kind of source, by the name that sources.yaml uses.
func All() []Kind {
	return []Kind{
		Feed{}, // a new kind is one new file and one line here
		Site{},
		Posts{},
	}
}
