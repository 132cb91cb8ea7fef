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
		Sensational: []string{
			"sốc", "chấn động", "kinh hoàng", "kinh hãi", "rùng mình", "khủng khiếp", "rợn người", "nóng", "khẩn cấp", "cực nóng", "tin nóng",
			"cảnh báo khẩn", "sự thật đằng sau", "sự thật kinh hoàng", "bí mật", "bí mật động trời", "động trời", "bị che giấu", "che giấu sự thật",
			"vạch trần", "phơi bày", "lật tẩy", "lộ diện", "hé lộ", "không thể tin nổi", "không tin nổi", "khó tin", "thần kỳ", "thần dược",
			"chữa khỏi hoàn toàn", "chữa bách bệnh", "tận thế", "thảm họa", "vỡ trận", "báo chí không dám đăng", "báo không đăng", "không ai nói cho bạn",
			"chết hàng loạt", "dã man", "man rợ", "mất nhân tính", "phẫn nộ", "căm phẫn", "xôn xao", "dậy sóng", "kinh thiên động địa", "toang", "giật mình",
			"ngã ngửa", "bàng hoàng", "đừng bao giờ", "cực kỳ nguy hiểm", "nguy hiểm chết người", "âm mưu", "thế lực ngầm", "bọn chúng",
		},
		ShareCalls: []string{
			"chia sẻ ngay", "hãy chia sẻ", "chia sẻ gấp", "chia sẻ cho", "chia sẻ để", "chia sẻ rộng rãi", "xin chia sẻ", "mọi người chia sẻ", "share gấp",
			"share ngay", "share mạnh", "hãy share", "share cho", "share rộng rãi", "xin share", "lan tỏa", "chuyển tiếp cho", "gửi ngay cho",
			"gửi cho người thân", "hãy gửi", "nhắn cho nhau", "báo cho mọi người", "trước khi bị xóa", "trước khi bị gỡ", "xem trước khi bị xóa", "copy gửi",
			"tag bạn bè", "cho mọi người cùng biết",
		},
		Attribution: []string{
			"theo ông", "theo bà", "theo báo", "theo bộ", "theo cơ quan", "theo công an", "theo sở", "theo ubnd", "theo thông tin từ", "theo số liệu",
			"theo báo cáo", "theo thống kê", "theo kết quả", "theo đại diện", "theo nghiên cứu", "theo hãng", "theo quyết định", "dẫn lời", "cho biết",
			"cho hay", "phát biểu", "thông báo", "thông tin từ", "công bố", "khẳng định", "trả lời", "nói với", "trao đổi với", "báo cáo của", "nhấn mạnh",
			"xác nhận", "dẫn nguồn", "đại diện", "phát ngôn", "chia sẻ với", "nguồn:",
		},
		Hedges: []string{
			"nghe nói", "nghe đâu", "có người nói", "người ta nói", "theo nguồn tin riêng", "nguồn tin riêng", "nguồn tin mật", "nguồn tin nội bộ",
			"nội bộ cho biết", "đồn rằng", "tin đồn", "lan truyền", "rò rỉ", "ai đó nói", "một người bạn", "người quen làm", "bạn mình làm",
			"anh em cho biết", "chưa kiểm chứng", "không biết thật hay", "có tin", "hình như", "dân mạng", "cộng đồng mạng",
		},
	}
}
