// Package demo is a small world of newsrooms on loopback, for `presswatch up
// --demo` and for end-to-end tests: outlets with layouts of their own, feeds,
// a section page, a network of posts, in four languages. The normal crawlers
// fetch them; nothing is put into the system by another way.
//
// All outlets, people and events are made up. The texts are data: below
// content/, one file for each theme, each piece with a front matter that also
// says what it is (news, rumour, satire, a copy of what), so that tests can
// compare what the system makes of it.
package demo
