package classifiers

// All is every signal, in the order reviewers read the evidence.
func All(m *Model) []Signal {
	w := newWordings()
	return []Signal{
		NewText(m), // a new signal is one new file and one line here
		NewSensational(w),
		Shouting{},
		NewShareCall(w),
		NewAttribution(w),
		NewClickbait(m),
		HeadlineNumbers{},
	}
}
