// Package hi is Hindi.
package hi

import "presswatch/internal/lang"

// Profile describes Hindi: vowel signs and the virama belong to the word.
func Profile() lang.Profile {
	return lang.Profile{
		Code: "hi", Name: "हिन्दी", Script: "Devanagari", Analyzer: "hi",
		Stopwords:  []string{"के", "में", "की", "है", "और", "से", "का", "को", "पर", "ने", "यह", "कि", "हैं", "एक", "लिए", "भी", "नहीं", "इस", "हो", "था"},
		Months:     []string{"जनवरी", "फ़रवरी", "मार्च", "अप्रैल", "मई", "जून", "जुलाई", "अगस्त", "सितंबर", "अक्टूबर", "नवंबर", "दिसंबर"},
		StripTails: []string{"स्रोत:", "यह भी पढ़ें", "टिप्पणियाँ (", "विज्ञापन"},
	}
}
