// Package en is English.
package en

import "presswatch/internal/lang"

// Profile describes English.
func Profile() lang.Profile {
	return lang.Profile{
		Code: "en", Name: "English", Script: "Latin", Analyzer: "en",
		Stopwords:  []string{"the", "and", "of", "to", "in", "is", "that", "for", "it", "was", "on", "with", "as", "by", "at", "from", "this", "are", "have", "has", "be", "not", "were", "which", "said"},
		Months:     []string{"january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"},
		StripTails: []string{"source:", "read more:", "comments (", "related:", "sign up", "follow us", "advertisement"},
		Sensational: []string{
			"shocking", "shocker", "shocked", "bombshell", "explosive", "outrageous", "outrage", "horrifying", "terrifying", "unbelievable", "incredible",
			"mind-blowing", "jaw-dropping", "you won't believe", "you will not believe", "won't believe", "what happens next",
			"what they don't want you to know", "they don't want you to know", "don't want you to know", "cover-up", "coverup", "covered up", "hidden truth",
			"the truth about", "real truth", "wake up", "sheeple", "exposed", "busted", "slams", "destroys", "obliterates", "miracle cure", "miracle",
			"cures cancer", "100% cure", "secret cure", "big pharma", "deep state", "plandemic", "scamdemic", "hoax", "new world order", "mainstream media",
			"media won't", "media is hiding", "media blackout", "breaking news", "urgent", "emergency alert", "warning!", "alert!", "must see", "must watch",
			"must read", "banned video", "leaked", "caught on camera", "apocalypse", "end times", "doomsday", "conspiracy", "evil", "elite", "elites",
			"traitors", "genocide", "poison", "poisoning",
		},
		ShareCalls: []string{
			"share this", "please share", "share before", "share with everyone", "share widely", "share with your", "share asap", "share now", "retweet",
			"please rt", "pls rt", "pass it on", "pass this on", "forward this", "forward to", "forwarded as received", "send this to", "send to everyone",
			"spread the word", "tell everyone", "tell your friends", "repost", "before it's deleted", "before it is deleted", "before they delete",
			"before this gets taken down", "before it gets removed", "make this go viral", "make it viral", "copy and paste", "tag your friends",
			"let everyone know",
		},
		Attribution: []string{
			"according to", "said", "says", "told reporters", "told the", "reported by", "reports that", "announced", "confirmed", "stated", "spokesman",
			"spokeswoman", "spokesperson", "in a statement", "in an interview", "official said", "officials said", "cited", "citing", "quoted", "report by",
			"study by", "published in", "data from", "figures from", "figures show", "wrote in", "testified", "the ministry", "the department", "researchers",
			"professor", "source:", "press release",
		},
		Hedges: []string{
			"they say", "people say", "people are saying", "i heard", "i have heard", "rumor has it", "rumour has it", "rumor", "rumors", "rumour", "rumours",
			"rumored", "rumoured", "allegedly", "reportedly", "supposedly", "a friend of mine", "my friend's", "a friend who works", "my cousin", "insider",
			"insiders", "an insider", "anonymous source", "sources close to", "source close to", "unconfirmed", "word is", "apparently", "some say",
			"many believe", "everyone knows", "leaked", "no one is talking about",
		},
	}
}
