// Package vi is Vietnamese.
package vi

import "presswatch/internal/lang"

// Profile describes Vietnamese: syllables are spaced, marks carry meaning, and
// people often write without them.
func Profile() lang.Profile {
	return lang.Profile{
		Code: "vi", Name: "Tiếng Việt", Script: "Latin", Analyzer: "vi",
		Stopwords:  []string{"và", "của", "là", "có", "các", "được", "trong", "cho", "với", "không", "này", "những", "một", "đã", "người", "từ", "khi", "đến", "về", "cũng", "như", "tại", "theo", "để", "ở"},
		Marks:      "ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ",
		StripTails: []string{"nguồn:", "theo:", "xem thêm:", "bình luận (", "tin liên quan", "đọc thêm:", "mời độc giả"},
	}
}
