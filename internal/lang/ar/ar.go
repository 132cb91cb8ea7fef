// Package ar is Arabic.
package ar

import "presswatch/internal/lang"

// Profile describes Arabic: written from right to left, short vowels seldom.
func Profile() lang.Profile {
	return lang.Profile{
		Code: "ar", Name: "العربية", Script: "Arabic", RTL: true, Analyzer: "ar",
		Stopwords:  []string{"في", "من", "على", "إلى", "أن", "عن", "التي", "الذي", "هذا", "هذه", "ما", "مع", "كان", "قد", "لا", "بين", "بعد", "كما", "ذلك", "أو"},
		Months:     []string{"يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو", "أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"},
		StripTails: []string{"المصدر:", "اقرأ أيضا", "اقرأ أيضاً", "تعليق (", "إعلان"},
	}
}
