#include "common/protocol/json_scan.hpp"

#include "common/base/random.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <string>
#include <utility>
#include <vector>

namespace pulsewire {
namespace {

using texts = std::vector<std::string>;

bool accepts(std::string_view text, int depth_max = 32) {
    std::size_t stopped_at = 0;
    return is_json(text, depth_max, stopped_at);
}

std::size_t stop_of(std::string_view text) {
    std::size_t stopped_at = 0;
    EXPECT_FALSE(is_json(text, 32, stopped_at)) << text;
    return stopped_at;
}

std::string repeated(std::string_view what, std::size_t times) {
    std::string text;
    for (std::size_t i = 0; i < times; ++i) text += what;
    return text;
}

std::string nested(
    std::string_view open, std::string_view inside, std::string_view close, std::size_t levels
) {
    return repeated(open, levels) + std::string(inside) + repeated(close, levels);
}

// --- protocol 3.5: RFC 8259 ---

TEST(json_scan, accepts_every_kind_of_value) {
    for (const auto& text : texts{
             "null",
             "true",
             "false",
             "0",
             "-0",
             "7",
             "-12",
             "10",
             "0.5",
             "-0.25",
             "1e5",
             "1E+5",
             "1e-05",
             "0e0",
             "12.50E2",
             R"("")",
             R"("text")",
             "[]",
             "{}",
             "[ ]",
             "{ }",
             "[1]",
             "[1,2,[3,{}],[]]",
             R"({"a":1})",
             R"({"a":{"b":[null,true,false]},"":0})",
             R"({"a":1,"a":2})",
             R"([""])",
             R"([-1.0e1,"x"])",
         })
        EXPECT_TRUE(accepts(text)) << text;
}

TEST(json_scan, accepts_the_four_kinds_of_white_space_between_tokens_only) {
    EXPECT_TRUE(accepts(" \t\r\n{ \t\"a\"\n:\r[ 1 , 2\t] , \"b\" : { } } \r\n"));
    for (const auto& text : texts{
             "\v1", "1\f",
             "\xc2\xa0"
             "1",
             "\xef\xbb\xbf"
             "1",
             "1 1", "tr ue", "- 1", "1 .5", "1. 5", "1e 5", "\" \n\""})
        EXPECT_FALSE(accepts(text)) << text;
}

TEST(json_scan, refuses_what_is_no_value) {
    for (const auto& text : texts{
             "",    " ",      "nul", "nulll", "True", "NULL",  "undefined", "NaN", "Infinity", "-Infinity",
             "tru", "falsee", "'a'", "abc",   "/",    "//\n1", "/* */1",    "1//", "#1",       "\\u0031",
             ",",   ":",      "]",   "}",     "1,",   "1 2",   "[]]",       "{}}", "[1],",
         })
        EXPECT_FALSE(accepts(text)) << text;
}

TEST(json_scan, refuses_numbers_of_other_languages) {
    for (const auto& text : texts{
             "01",    "-01",   "00", "+1",  "--1", "-",     "1.",       ".5",
             "-.5",   "1.e1",  "1e", "1e+", "1e-", "1e1.5", "0x10",     "1_000",
             "1e5e5", "1.2.3", "0.", "-e1", "1E",  "1a",    "\xd9\xa1", "\xef\xbc\x91",
         })
        EXPECT_FALSE(accepts(text)) << text;
}

TEST(json_scan, refuses_broken_arrays_and_objects) {
    for (const auto& text : texts{
             "[",          "[1",
             "[1,",        "[1,]",
             "[,1]",       "[,]",
             "[1 2]",      "[1,,2]",
             "[1}",        "[1:2]",
             "[\"a\":1]",  "{",
             "{\"a\"",     "{\"a\":",
             "{\"a\":1",   "{\"a\":1,",
             "{\"a\":1,}", "{,}",
             "{,\"a\":1}", "{\"a\"}",
             "{\"a\",1}",  "{\"a\":1 \"b\":2}",
             "{\"a\"::1}", "{a:1}",
             "{1:1}",      "{'a':1}",
             "{\"a\":1]",  "{null:1}",
             "{[]:1}",     "[{\"a\":1},]",
             "{\"a\":[}",  "{\"a\":}",
             "[[]",        "{}[]",
         })
        EXPECT_FALSE(accepts(text)) << text;
}

TEST(json_scan, accepts_every_escape_and_refuses_all_others) {
    EXPECT_TRUE(accepts(R"("\" \\ \/ \b \f \n \r \t \u0041 \uD83D\uDE00 \uabCD")"));
    EXPECT_TRUE(accepts(R"("\ud800")")) << "RFC 8259 section 8.2 lets lone surrogates be written";
    EXPECT_TRUE(accepts(R"("\u0000")"));
    const std::string simple = "\"\\/bfnrt";
    for (int c = 0; c < 256; ++c) {
        const std::string text = std::string("\"\\") + static_cast<char>(c) + "\"";
        EXPECT_EQ(accepts(text), simple.find(static_cast<char>(c)) != std::string::npos) << text;
    }
    for (const auto& text : texts{
             R"("\u")", R"("\u0")", R"("\u00")", R"("\u004")", R"("\u004g")", R"("\u 041")", R"("\U0041")",
             R"("\x41")", R"("\u{41}")", R"("\)", R"("\u12)", R"("\")"})
        EXPECT_FALSE(accepts(text)) << text;
}

TEST(json_scan, refuses_control_characters_in_strings) {
    for (int c = 0; c < 0x20; ++c)
        EXPECT_FALSE(accepts(std::string("\"a") + static_cast<char>(c) + "b\"")) << c;
    EXPECT_TRUE(accepts("\"\x7f\""));
}

TEST(json_scan, refuses_a_zero_byte_anywhere) {
    const std::string good = R"({"a":[1,"b"]})";
    for (std::size_t at = 0; at <= good.size(); ++at) {
        std::string text = good;
        text.insert(at, 1, '\0');
        EXPECT_FALSE(accepts(text)) << at;
    }
}

// --- protocol 3.5: UTF-8 ---

TEST(json_scan, accepts_the_first_and_last_character_of_each_utf8_length) {
    for (const auto& character : texts{
             "\xc2\x80",
             "\xdf\xbf",
             "\xe0\xa0\x80",
             "\xef\xbf\xbf",
             "\xf0\x90\x80\x80",
             "\xf4\x8f\xbf\xbf",
             "\xed\x9f\xbf",
             "\xee\x80\x80",
             "\xef\xbb\xbf",
             "\xe2\x80\xa8",
         })
        EXPECT_TRUE(accepts("\"" + character + "\""));
}

TEST(json_scan, refuses_what_is_not_utf8) {
    for (const auto& [bytes, why] : std::vector<std::pair<std::string, const char*>>{
             {"\x80", "a lone continuation"},
             {"\xbf\xbf", "two of them"},
             {"\xc0\x80", "overlong zero"},
             {"\xc0\xaf", "overlong slash"},
             {"\xc1\xbf", "overlong of two bytes"},
             {"\xe0\x80\xaf", "overlong of three"},
             {"\xe0\x9f\xbf", "the largest overlong of three"},
             {"\xf0\x80\x80\xaf", "overlong of four"},
             {"\xf0\x8f\xbf\xbf", "the largest overlong of four"},
             {"\xed\xa0\x80", "the first surrogate"},
             {"\xed\xbf\xbf", "the last surrogate"},
             {"\xed\xa0\xbd\xed\xb8\x80", "a pair of them"},
             {"\xf4\x90\x80\x80", "above U+10FFFF"},
             {"\xf5\x80\x80\x80", "far above"},
             {"\xf8\x88\x80\x80\x80", "five bytes"},
             {"\xfe", "fe"},
             {"\xff", "ff"},
             {"\xc3", "cut"},
             {"\xe2\x82", "cut"},
             {"\xf0\x9f\x98", "cut"},
             {"\xc3(", "no continuation"},
             {"\xe2\x82(", "no second continuation"},
         }) {
        EXPECT_FALSE(accepts("\"" + bytes + "\"")) << why;
        EXPECT_FALSE(accepts("{\"" + bytes + "\":1}")) << why << ", in a key";
        EXPECT_FALSE(accepts("\"" + bytes)) << why << ", at the end of the text";
        EXPECT_FALSE(accepts("[" + bytes + "]")) << why << ", outside of a string";
    }
}

// --- protocol 3.5: nesting ---

TEST(json_scan, accepts_32_levels_and_refuses_33) {
    for (const auto& [open, close] :
         std::vector<std::pair<const char*, const char*>>{{"[", "]"}, {"{\"a\":", "}"}, {"[ ", " ]"}}) {
        EXPECT_TRUE(accepts(nested(open, "1", close, 32)));
        EXPECT_FALSE(accepts(nested(open, "1", close, 33)));
    }
    EXPECT_TRUE(accepts(nested("[", "", "]", 32)));
    EXPECT_FALSE(accepts(nested("[", "", "]", 33)));
    EXPECT_FALSE(accepts(nested("[", "{}", "]", 32)));
    EXPECT_TRUE(accepts("[" + nested("[", "", "]", 31) + "," + nested("{\"a\":", "{}", "}", 30) + "]"));
}

TEST(json_scan, bounds_the_nesting_whatever_the_caller_allows) {
    EXPECT_TRUE(accepts(nested("[", "", "]", 64), 1'000));
    EXPECT_FALSE(accepts(nested("[", "", "]", 65), 1'000));
    EXPECT_FALSE(accepts(repeated("[", 1'000'000), 1'000));
    EXPECT_TRUE(accepts("1", 0));
    EXPECT_FALSE(accepts("[]", 0));
}

TEST(json_scan, remembers_for_each_level_whether_it_is_an_array_or_an_object) {
    std::string open, close;
    for (int level = 0; level < 32; ++level) {
        const bool object = level % 3 == 1;
        open += object ? "{\"k\":" : "[";
        close.insert(0, object ? "}" : "]");
    }
    EXPECT_TRUE(accepts(open + "0" + close));
    for (std::size_t at = 0; at < close.size(); ++at) {
        std::string wrong = close;
        wrong[at] = wrong[at] == '}' ? ']' : '}';
        EXPECT_FALSE(accepts(open + "0" + wrong)) << at;
    }
}

// --- where reading stopped ---

TEST(json_scan, tells_the_byte_at_which_reading_stopped) {
    EXPECT_EQ(stop_of(""), 0u);
    EXPECT_EQ(stop_of("  "), 2u);
    EXPECT_EQ(stop_of("x"), 0u);
    EXPECT_EQ(stop_of("[1,x]"), 3u);
    EXPECT_EQ(stop_of("[1 x]"), 3u);
    EXPECT_EQ(stop_of("{\"a\" 1}"), 5u);
    EXPECT_EQ(stop_of("{\"a\":1}}"), 7u);
    EXPECT_EQ(stop_of("1 2"), 2u);
    EXPECT_EQ(stop_of("\"ab\xff\""), 3u);
    EXPECT_EQ(stop_of("\"ab\\q\""), 3u);
    EXPECT_EQ(stop_of("\"ab"), 3u);
    EXPECT_EQ(stop_of("[tru]"), 1u);
    EXPECT_EQ(stop_of("01"), 1u);
}

TEST(json_scan, never_stops_outside_of_the_text) {
    const std::string good = R"({"a":[1.5e3,"b\u00e9\n",{"c":null}],"d":true,"e":""})";
    for (std::size_t size = 0; size < good.size(); ++size) {
        const std::string cut =
            good.substr(0, size);  // of its own, so that AddressSanitizer sees every byte too many
        EXPECT_LE(stop_of(cut), cut.size());
    }
}

// --- members ---

TEST(json_scan, gives_each_member_as_slices_of_the_text) {
    const std::string text = R"( { "a" : 1 , "b\n":"x\"y","c":[1, {"d":2}],"":null } )";
    std::vector<std::pair<std::string, std::string>> members;
    json_scan scan(text);
    EXPECT_TRUE(for_each_member(scan, 32, [&](std::string_view key, std::string_view value) {
        EXPECT_GE(value.data(), text.data());
        EXPECT_LE(value.data() + value.size(), text.data() + text.size());
        members.emplace_back(key, value);
        return true;
    }));
    EXPECT_EQ(
        members, (std::vector<std::pair<std::string, std::string>>{
                     {"a", "1"}, {"b\\n", R"("x\"y")"}, {"c", R"([1, {"d":2}])"}, {"", "null"}})
    );
    EXPECT_TRUE(scan.skip_space() && scan.at_end());
}

TEST(json_scan, ends_early_when_the_caller_has_seen_enough) {
    json_scan scan(R"({"a":1,"b":2,broken)");
    int seen = 0;
    EXPECT_TRUE(for_each_member(scan, 32, [&](std::string_view, std::string_view) { return ++seen < 2; }));
    EXPECT_EQ(seen, 2);
}

TEST(json_scan, members_count_as_one_level_deeper) {
    const auto reads = [](const std::string& value) {
        const std::string text = "{\"a\":" + value + "}";
        json_scan scan(text);
        return for_each_member(scan, 32, [](std::string_view, std::string_view) { return true; });
    };
    EXPECT_TRUE(reads(nested("[", "", "]", 31)));
    EXPECT_FALSE(reads(nested("[", "", "]", 32)));
}

TEST(json_scan, refuses_to_give_members_of_what_is_no_object) {
    for (const auto& text :
         texts{"", "[]", "1", "\"a\"", "{", "{\"a\":1", "{\"a\":1,}", "{\"a\" 1}", "{,}"}) {
        json_scan scan(text);
        EXPECT_FALSE(for_each_member(scan, 32, [](std::string_view, std::string_view) { return true; }))
            << text;
    }
}

// --- unescaping ---

std::string unescaped(std::string_view inner) {
    std::string out;
    append_unescaped(out, inner);
    EXPECT_LE(out.size(), inner.size());
    return out;
}

TEST(json_scan, decodes_every_escape) {
    EXPECT_EQ(unescaped(R"(a\"\\\/\b\f\n\r\tz)"), "a\"\\/\b\f\n\r\tz");
    EXPECT_EQ(unescaped(R"(\u0041\u00e9\u20AC\ud83d\uDE00)"), "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    EXPECT_EQ(unescaped(R"(\u0000)"), std::string(1, '\0'));
    EXPECT_EQ(unescaped(""), "");
    EXPECT_EQ(unescaped("\xc3\xa9"), "\xc3\xa9");
}

TEST(json_scan, decodes_lone_surrogates_as_the_replacement_character) {
    const std::string replaced = "\xef\xbf\xbd";
    EXPECT_EQ(unescaped(R"(\ud83d)"), replaced);
    EXPECT_EQ(unescaped(R"(\ude00)"), replaced);
    EXPECT_EQ(unescaped(R"(\ud83dx)"), replaced + "x");
    EXPECT_EQ(unescaped(R"(\ud83d\n)"), replaced + "\n");
    EXPECT_EQ(unescaped(R"(\ud83d\u0041)"), replaced + "A");
    EXPECT_EQ(unescaped(R"(\ud83d\ud83d\ude00)"), replaced + "\xf0\x9f\x98\x80");
    EXPECT_EQ(unescaped(R"(\ude00\ud83d)"), replaced + replaced);
}

// --- against another reader ---

// Draws JSON texts, most of them valid, some of them bent afterwards.
class json_source {
public:
    explicit json_source(std::uint64_t seed) : random_(seed) {}

    std::string text() {
        text_.clear();
        space();
        value(0);
        space();
        return text_;
    }

    std::string bent() {
        std::string text = this->text();
        static const std::string bytes = std::string("{}[]\",:\\/ truefalsn0123456789.eE+-u\n\t\x01\x7f") +
                                         "\x80\xbf\xc3\xa9\xe2\x82\xed\xf0\xff";
        for (std::uint64_t times = 1 + below(3); times > 0 && !text.empty(); --times) {
            const std::size_t at = below(text.size());
            switch (below(5)) {
                case 0:
                    text.erase(at, 1 + below(3));
                    break;
                case 1:
                    text.insert(at, 1, bytes[below(bytes.size())]);
                    break;
                case 2:
                    text[at] = bytes[below(bytes.size())];
                    break;
                case 3:
                    std::swap(text[at], text[below(text.size())]);
                    break;
                default:
                    text.resize(at);
            }
        }
        return text;
    }

private:
    std::size_t below(std::size_t bound) {
        return static_cast<std::size_t>(next_random(random_, static_cast<std::uint32_t>(bound)));
    }

    void space() {
        if (below(8) == 0) text_ += " \n\t\r"[below(4)];
    }

    void value(int depth) {
        const std::size_t kind = below(depth < 6 ? 9 : 7);
        if (kind < 3) return number();
        if (kind < 6) return string();
        if (kind == 6) return void(text_ += below(2) == 0 ? "true" : below(2) == 0 ? "false" : "null");
        const bool object = kind == 8;
        text_ += object ? '{' : '[';
        space();
        for (std::size_t n = below(4), i = 0; i < n; ++i) {
            if (i > 0) text_ += ',';
            space();
            if (object) {
                string();
                space();
                text_ += ':';
                space();
            }
            value(depth + 1);
            space();
        }
        text_ += object ? '}' : ']';
    }

    void digits() {
        for (std::size_t n = 1 + below(3); n > 0; --n) text_ += static_cast<char>('0' + below(10));
    }

    void number() {
        if (below(3) == 0) text_ += '-';
        if (below(4) == 0) {
            text_ += '0';
        } else {
            text_ += static_cast<char>('1' + below(9));
            if (below(2) == 0) digits();
        }
        if (below(3) == 0) {
            text_ += '.';
            digits();
        }
        if (below(4) == 0) {
            text_ += below(2) == 0 ? "e" : "E-";
            text_ += static_cast<char>('0' + below(10));
        }
    }

    void string() {
        static const char* const parts[] = {
            "a",
            "Z",
            " ",
            "/",
            "\\\"",
            "\\\\",
            "\\/",
            "\\n",
            "\\u00e9",
            "\\uD83D\\uDE00",
            "\xc3\xa9",
            "\xe2\x82\xac",
            "\xf0\x9f\x98\x80",
            "\x7f",
            "payload"};
        text_ += '"';
        for (std::size_t n = below(5); n > 0; --n) text_ += parts[below(std::size(parts))];
        text_ += '"';
    }

    std::uint64_t random_;
    std::string text_;
};

// A lone surrogate may be written in JSON, and nlohmann refuses it; numbers too
// large for a double are its matter too.
bool both_mean_the_same(const std::string& text) {
    return text.find("\\u") == std::string::npos && text.find_first_of("eE") == std::string::npos;
}

TEST(json_scan, agrees_with_another_reader_on_random_texts) {
    json_source source(20240607);
    int accepted = 0, refused = 0;
    for (int i = 0; i < 4'000; ++i) {
        const std::string good = source.text();
        ASSERT_TRUE(accepts(good, 64)) << good;
        ASSERT_TRUE(nlohmann::json::accept(good)) << good;
        const std::string bent = source.bent();
        if (!both_mean_the_same(bent)) continue;
        const bool valid = nlohmann::json::accept(bent);
        ASSERT_EQ(accepts(bent, 64), valid) << bent;
        ++(valid ? accepted : refused);
    }
    EXPECT_GT(accepted, 100);
    EXPECT_GT(refused, 1'000);
}

// --- size ---

TEST(json_scan, reads_a_megabyte_of_anything_once) {
    // Were any of these quadratic, they would take minutes.
    const std::size_t n = 1 << 20;
    EXPECT_TRUE(accepts("\"" + std::string(n, 'a') + "\""));
    EXPECT_TRUE(accepts("\"" + repeated("\\n", n / 2) + "\""));
    EXPECT_TRUE(accepts("\"" + repeated("\xe2\x82\xac", n / 3) + "\""));
    EXPECT_TRUE(accepts("[" + repeated("0,", n / 2) + "0]"));
    EXPECT_TRUE(accepts(std::string(n, ' ') + "0" + std::string(n, ' ')));
    EXPECT_TRUE(accepts("[" + repeated("{},", n / 3) + "[]]"));
    EXPECT_TRUE(accepts("1" + std::string(n, '0')));
    EXPECT_TRUE(accepts("{" + repeated("\"a\":1,", n / 6) + "\"a\":1}"));
    EXPECT_EQ(stop_of("\"" + std::string(n, 'a')), n + 1);
}

}  // namespace
}  // namespace pulsewire
