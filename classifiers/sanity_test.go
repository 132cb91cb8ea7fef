package classifiers

import (
	"strings"
	"testing"

	"presswatch"
)

// Written for this test: for each language, posts that a desk would want to
// see, and plain reports that it should not be bothered with.
var handTexts = map[string]struct{ look, plain []string }{
	"vi": {
		look: []string{
			"KHẨN CẤP!!! Bộ Y tế đang giấu dịch, bệnh viện đã vỡ trận, người chết nằm la liệt mà báo chí không dám đăng. Chia sẻ ngay trước khi bị xóa!",
			"Uống nước tỏi pha giấm mỗi sáng chữa khỏi hoàn toàn ung thư, bác sĩ nước ngoài đã chứng minh nhưng các công ty dược che giấu sự thật. Hãy chia sẻ cho mọi người cùng biết.",
			"Mọi người cảnh giác nhé, bọn bắt cóc trẻ em lấy nội tạng đã về xã mình rồi, hôm qua mất hai cháu, công an biết mà không nói. Share gấp!!!",
			"Nghe nói ngày mai cả thành phố bị phong tỏa hoàn toàn, siêu thị đóng cửa hết, mọi người mua gạo tích trữ ngay đi, tin nội bộ cho biết đó.",
			"Một lũ bán nước, chúng nó đem đảo bán cho Trung Cộng rồi mà dân không ai biết, chính quyền thối nát chỉ biết đàn áp dân oan.",
			"Sốc: người ngoài hành tinh đáp xuống hồ Gươm, nhà nước bịt miệng nhân chứng, clip đã bị gỡ nhưng mình còn giữ đây 😱😱😱",
			"Ai có con nhỏ đừng bao giờ cho tiêm vắc xin này, tiêm xong là chết hàng loạt, con bạn mình làm trong viện nói thế, họ giấu hết rồi",
		},
		plain: []string{
			"Ngày 3/4, Sở Giáo dục và Đào tạo thông báo lịch thi vào lớp 10 năm học mới. Theo đó, thí sinh thi ba môn trong hai ngày 6 và 7/6.",
			"Theo Tổng cục Thống kê, chỉ số giá tiêu dùng tháng 5 tăng 0,3% so với tháng trước, chủ yếu do giá xăng dầu điều chỉnh.",
			"Ủy ban nhân dân tỉnh vừa ban hành kế hoạch nâng cấp 12 km đường liên xã, dự kiến hoàn thành trong quý III năm nay.",
			"Đội tuyển bóng đá nữ Việt Nam tập trung 25 cầu thủ chuẩn bị cho vòng loại, huấn luyện viên cho biết đội có ba tuần tập luyện.",
			"Bộ Y tế cho biết sáng nay cả nước ghi nhận thêm 2 ca mắc mới, đều được cách ly ngay khi nhập cảnh.",
		},
	},
	"en": {
		look: []string{
			"URGENT!! They are hiding the cure for coronavirus because Big Pharma wants you sick. Drink hot lemon water with baking soda and the virus dies in minutes. Share before it's deleted!!",
			"Bill Gates admitted the vaccine contains a microchip to track everyone. The mainstream media won't tell you. Wake up!",
			"5G towers are spreading COVID-19, a video from Wuhan shows people dropping dead next to the masts.",
			"President secretly signs order to confiscate all bank accounts at midnight, insiders say. Forward this to everyone you know.",
			"Area man cures pandemic by refusing to believe in it, local hospital closes in shame",
			"Hospitals are empty!! The whole pandemic is a hoax, nurses are paid to dance on TikTok and doctors get money for every death certificate that says covid.",
			"Eating raw garlic and gargling with bleach prevents coronavirus, says a doctor whose video was banned.",
			"Pope Francis dies of coronavirus, Vatican hides the body until the elections are over",
		},
		plain: []string{
			"The health department reported 214 new cases and 3 deaths on Tuesday. The state has tested 48,210 people so far, according to its daily update.",
			"Hand washing with soap for at least 20 seconds lowers the risk of infection. Learn more about how to protect yourself and others on our website.",
			"We are expanding testing capacity in 14 districts. Results are returned within 48 hours. Read today's full situation report here: https://example.org/report",
			"The ministry said the school year will start on 1 September, with classes split into two groups where rooms are small.",
			"Researchers published the results of a trial with 1,062 patients; the drug shortened recovery by four days on average.",
		},
	},
	"hi": {
		look: []string{
			"बड़ा खुलासा! चीन सरकार कोरोना मरीजों को जिंदा जला रही है, मीडिया नहीं दिखाएगा, इस वीडियो को ज्यादा से ज्यादा शेयर करें।",
			"गर्म पानी में नींबू और हल्दी मिलाकर पीने से कोरोना वायरस 5 मिनट में मर जाता है, डॉक्टरों ने छुपाया यह राज। सबको भेजें।",
			"यूनेस्को ने भारत के राष्ट्रगान को दुनिया का सबसे अच्छा राष्ट्रगान घोषित किया, हर भारतीय को गर्व होना चाहिए।",
			"वायरल हो रहा है यह वीडियो जिसमें एक समुदाय के लोग फलों पर थूक लगाकर बेच रहे हैं ताकि कोरोना फैले।",
			"सरकार ने फैसला किया है कि कल से पूरे देश में सेना तैनात होगी और सभी बैंक बंद हो जाएंगे, सूत्रों से पता चला है।",
			"इस तस्वीर में दिख रही लड़की को पाकिस्तानी सेना ने मार डाला और नेता चुप हैं, दावा किया जा रहा है।",
		},
		plain: []string{
			"दिल्ली में आज न्यूनतम तापमान 12 डिग्री सेल्सियस दर्ज किया गया, मौसम विभाग ने बताया।",
			"मुख्यमंत्री ने आज जिला अस्पताल के नए भवन का उद्घाटन किया। इस अवसर पर स्वास्थ्य मंत्री भी मौजूद थे।",
			"बोर्ड ने दसवीं की परीक्षा का कार्यक्रम जारी कर दिया है, परीक्षाएं 15 फरवरी से शुरू होंगी। https://example.org/board",
			"भारतीय टीम ने पहला टेस्ट मैच 5 विकेट से जीत लिया। #INDvAUS",
			"स्वास्थ्य मंत्रालय के अनुसार पिछले 24 घंटे में 1,240 नए मामले सामने आए और 980 मरीज ठीक हुए।",
		},
	},
	"ar": {
		look: []string{
			"عاجل: يقال والله أعلم أن شرب الماء الساخن مع الثوم يقضي على فيروس كورونا خلال ساعات، انشرها لكل من تعرف",
			"فضيحة مدوية: بيل غيتس صنع فيروس كورونا في المختبر ليبيع اللقاح، والإعلام يخفي الحقيقة",
			"الله أكبر، الصين تعلن إسلام عشرين مليون شخص بعد أن اكتشفوا أن الوضوء يمنع فيروس كورونا",
			"رئيس وزراء إيطاليا يبكي ويقول انتهت حلول الأرض والأمر متروك للسماء بسبب كورونا",
			"علاج كورونا موجود وهو الغرغرة بالخل والملح، أرجو النشر قبل حذف الفيديو",
			"أبراج الجيل الخامس هي سبب فيروس كورونا وهذا سر خطير لا يريدونك أن تعرفه",
			"طائرات مروحية سترش مبيدات الليلة للقضاء على كورونا، لا تخرجوا من بيوتكم بعد الحادية عشرة مساء",
		},
		plain: []string{
			"أعلنت وزارة الصحة تسجيل 45 إصابة جديدة بفيروس كورونا وشفاء 12 حالة، ليرتفع العدد الإجمالي إلى 961 حالة. https://example.org/moh",
			"منظمة الصحة العالمية: غسل اليدين بالماء والصابون من أفضل طرق الوقاية من فيروس كورونا. https://example.org/who",
			"البنك المركزي يبقي أسعار الفائدة دون تغيير في اجتماعه اليوم",
			"انطلاق معرض الكتاب الدولي بمشاركة 300 دار نشر",
		},
	},
}

// The model reads wording only, so that some of these it must get wrong. What
// is held: of the first kind it sends at least half to review, of the second at
// most two in five, and four pairs in five are in order.
func TestDefaultOrdersHandWrittenTexts(t *testing.T) {
	e := mustDefault(t)
	for code, texts := range handTexts {
		t.Run(code, func(t *testing.T) {
			risk := func(s string) float64 {
				d := presswatch.Document{Kind: presswatch.Post, Language: code, Text: s}
				if err := e.Classify(t.Context(), &d); err != nil {
					t.Fatal(err)
				}
				t.Logf("%.2f %s", d.Verdict.Risk, firstRunes(s, 60))
				return d.Verdict.Risk
			}
			var look, plain []float64
			caught, vain, above := 0, 0, 0
			for _, s := range texts.look {
				if look = append(look, risk(s)); look[len(look)-1] >= e.Levels().Review {
					caught++
				}
			}
			for _, s := range texts.plain {
				if plain = append(plain, risk(s)); plain[len(plain)-1] >= e.Levels().Review {
					vain++
				}
			}
			for _, a := range look {
				for _, b := range plain {
					if a > b {
						above++
					}
				}
			}
			if 2*caught < len(look) || 5*vain > 2*len(plain) || 5*above < 4*len(look)*len(plain) {
				t.Errorf("%d of %d sent to review, %d of %d in vain, %d of %d pairs in order", caught, len(look), vain, len(plain), above, len(look)*len(plain))
			}
		})
	}
}

// A press article of ordinary length about loud events is still a report.
func TestLongReportIsNotFlagged(t *testing.T) {
	e := mustDefault(t)
	report := map[string]string{
		"vi": "Theo báo cáo của Ban Chỉ huy Phòng chống thiên tai tỉnh, mưa lớn đêm qua làm ngập ba xã ven sông. Chủ tịch huyện cho biết lực lượng chức năng đã đưa 120 hộ dân đến nơi an toàn. ",
		"en": "Heavy rain flooded three villages along the river overnight, the provincial disaster office said. The district head told reporters that 120 households had been moved to schools on higher ground. ",
		"hi": "जिला प्रशासन के अनुसार रात भर की भारी बारिश से नदी के किनारे के तीन गांवों में पानी भर गया। जिलाधिकारी ने बताया कि 120 परिवारों को सुरक्षित स्थानों पर पहुंचाया गया है। ",
		"ar": "قالت السلطات المحلية إن أمطارا غزيرة أغرقت ثلاث قرى على ضفة النهر خلال الليل. وأوضح رئيس المنطقة أن 120 أسرة نقلت إلى مدارس في مناطق مرتفعة. ",
	}
	for code, s := range report {
		d := presswatch.Document{Kind: presswatch.Article, Language: code, Title: firstRunes(s, 60), Text: strings.Repeat(s+"\n\n", 8)}
		if err := e.Classify(t.Context(), &d); err != nil {
			t.Fatal(err)
		}
		if d.Verdict.Level != presswatch.Low {
			t.Errorf("%s: risk %.2f, level %s", code, d.Verdict.Risk, d.Verdict.Level)
		}
	}
}

func mustDefault(t testing.TB) *Ensemble {
	t.Helper()
	e, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	return e
}
