#include "common/protocol/event_stream.hpp"

#include "common/protocol/event_stream_reference_test.hpp"

#include <gtest/gtest.h>

#include <random>

namespace pulsewire::event_stream {
namespace {

using namespace std::literals;
using testing::event_source;
using testing::seen_event;

using events = std::vector<seen_event>;

cursor cursor_of(std::initializer_list<cursor::position> positions) {
    cursor c(positions.size());
    std::size_t index = 0;
    for (const auto& p : positions) c.set(index++, p.epoch, p.offset);
    return c;
}

cursor_error error_of(std::string_view text, std::size_t channel_count) {
    const auto read = cursor::parse(text, channel_count);
    EXPECT_FALSE(read.has_value()) << text;
    return read ? cursor_error{255} : read.error();
}

// A page's onerror and onopen are about the connection.
TEST(event_stream, types_that_event_source_fires_itself_have_another_name) {
    const auto name = [](std::string_view type) {
        std::string out;
        append_event(out, type, nullptr, "{}");
        return event_source(out).events.at(0).type;
    };
    EXPECT_EQ(name("error"), "pulsewire.message.error");
    EXPECT_EQ(name("open"), "pulsewire.message.open");
    for (const char* type : {"message", "Error", "opened", "chat.error"}) EXPECT_EQ(name(type), type);
}

TEST(event_stream, a_marked_cursor_fits_its_channels_alone) {
    cursor c = cursor_of({{"e", 1}, {"e", 2}});
    c.mark({"a", "b"});
    const std::string text = c.encode();
    EXPECT_TRUE(text.starts_with("1.") && text.ends_with(".e.1.e.2")) << text;
    const auto read = cursor::parse(text, std::vector<std::string>{"a", "b"});
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->at(1).offset, 2u);
    const auto error = [](std::string_view of, const std::vector<std::string>& names) {
        const auto other = cursor::parse(of, names);
        return other ? cursor_error{255} : other.error();
    };
    EXPECT_EQ(error(text, {"a", "c"}), cursor_error::wrong_count);
    EXPECT_EQ(error(text, {"ab", ""}), cursor_error::wrong_count);
    EXPECT_EQ(error(text, {"a"}), cursor_error::wrong_count);
    EXPECT_EQ(error(text, {"a", "b", "c"}), cursor_error::wrong_count);
    EXPECT_EQ(error(text + "x", {"a", "b"}), cursor_error::bad_offset);
    EXPECT_EQ(error("1..e.1.e.2", {"a", "b"}), cursor_error::wrong_count);
    EXPECT_EQ(error("2" + text.substr(1), {"a", "b"}), cursor_error::wrong_version);
    EXPECT_EQ(error(std::string(1'000'000, '.'), {"a", "b"}), cursor_error::too_long);
    EXPECT_TRUE(cursor::parse("1.e.1.e.2", std::vector<std::string>{"a", "b"}).has_value())
        << "of an older server";
}

// --- The reader of the tests itself, with the examples of WHATWG HTML 9.2.6

TEST(event_source, whatwg_9_2_6_reads_the_examples_of_the_standard) {
    EXPECT_EQ(
        event_source("data: YHOO\ndata: +2\ndata: 10\n\n").events, (events{{"message", "YHOO\n+2\n10", ""}})
    );
    const event_source four(
        ": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"
    );
    EXPECT_EQ(
        four.events,
        (events{
            {"message", "first event", "1"}, {"message", "second event", ""}, {"message", " third event", ""}}
        )
    );
    EXPECT_EQ(
        event_source("data\n\ndata\ndata\n\ndata:").events,
        (events{{"message", "", ""}, {"message", "\n", ""}})
    );
    EXPECT_EQ(
        event_source("data:test\n\ndata: test\n\n").events,
        (events{{"message", "test", ""}, {"message", "test", ""}})
    );
}

TEST(event_source, whatwg_9_2_6_ends_lines_at_cr_lf_and_crlf_and_drops_bom_and_ids_with_nul) {
    const event_source s(
        "\xef\xbb\xbfretry: 10\r\nid: 5\revent: x\r\ndata: 1\rdata: 2\n\r\nid: 6\0"
        "7\ndata: 3\n\n"s
    );
    EXPECT_EQ(s.events, (events{{"x", "1\n2", "5"}, {"message", "3", "5"}}));
    EXPECT_EQ(s.retry_ms, 10u);
}

// --- The stream of frames

TEST(event_stream, protocol_8_1_a_batch_is_one_event_with_one_data_line_per_frame) {
    std::string out;
    append_batch(out, "{\"op\":\"ping\"}\n{\"op\":\"pong\"}\n");
    EXPECT_EQ(out, "data: {\"op\":\"ping\"}\ndata: {\"op\":\"pong\"}\n\n");
    EXPECT_EQ(event_source(out).events, (events{{"message", "{\"op\":\"ping\"}\n{\"op\":\"pong\"}", ""}}));
}

TEST(event_stream, protocol_8_1_the_data_of_an_event_is_exactly_the_message_without_its_last_newline) {
    for (std::string lines : {"{}", "{}\n", "{}\n{}", "{\"a\":\"data: x\"}\n{\":\":1}\n"}) {
        std::string out;
        append_batch(out, lines);
        if (lines.back() == '\n') lines.pop_back();
        EXPECT_EQ(event_source(out).events, (events{{"message", lines, ""}}));
    }
}

TEST(event_stream, a_batch_of_nothing_is_nothing) {
    std::string out;
    append_batch(out, "");
    append_batch(out, "\n");
    EXPECT_EQ(out, "");
}

TEST(event_stream, gathered_pieces_are_the_same_text_as_a_batch) {
    const std::string first = "{\"a\":1}\n", second = "{\"b\":2}\n";
    std::string out, gathered;
    append_batch(out, first + second);
    for (const std::string& line : {first, second}) {
        EXPECT_TRUE(safe_line(line));
        gathered += data_prefix;
        gathered += line;
    }
    gathered += event_end;
    EXPECT_EQ(gathered, out);
}

TEST(event_stream, a_line_that_would_break_its_field_is_recognised_wherever_the_byte_stands) {
    EXPECT_TRUE(safe_line(""));
    EXPECT_TRUE(safe_line("\n"));
    EXPECT_FALSE(safe_line("\n\n"));
    for (std::size_t size = 1; size < 40; ++size)
        for (std::size_t where = 0; where < size; ++where)
            for (const char c : {'\r', '\n', '\0'}) {
                std::string line(size, 'x');
                line[where] = c;
                EXPECT_FALSE(safe_line(line + "\n")) << size << ' ' << where;
            }
}

TEST(event_stream, protocol_8_1_the_first_event_tells_the_connection) {
    std::string out;
    append_stream_event(out, "kT0v");
    EXPECT_EQ(out, "data: {\"op\":\"stream\",\"connection\":\"kT0v\"}\n\n");
}

// --- The plain stream

TEST(event_stream, protocol_8_4_1_an_event_as_the_document_shows_it) {
    std::string out;
    const cursor id = cursor_of({{"x7Qa", 19}, {"mm21", 4}});
    append_event(out, "chat.message", &id, "{\"type\":\"chat.message\"}");
    EXPECT_EQ(out, "event: chat.message\nid: 1.x7Qa.19.mm21.4\ndata: {\"type\":\"chat.message\"}\n\n");
    EXPECT_EQ(
        event_source(out).events,
        (events{{"chat.message", "{\"type\":\"chat.message\"}", "1.x7Qa.19.mm21.4"}})
    );
}

TEST(event_stream, protocol_8_4_2_messages_of_type_message_have_no_event_line) {
    std::string out;
    append_event(out, "message", nullptr, "{}");
    EXPECT_EQ(out, "data: {}\n\n");
}

TEST(event_stream, protocol_8_4_3_an_event_without_offset_has_no_id_and_browsers_keep_the_last) {
    std::string out;
    const cursor id = cursor_of({{"e", 7}});
    append_event(out, "a", &id, "1");
    append_event(out, "b", nullptr, "2");
    EXPECT_EQ(event_source(out).events, (events{{"a", "1", "1.e.7"}, {"b", "2", "1.e.7"}}));
}

TEST(event_stream, protocol_8_4_5_a_gap_names_channel_and_reason) {
    std::string out;
    append_gap(out, "chat:42", "expired", nullptr);
    EXPECT_EQ(
        out,
        "event: pulsewire.gap\ndata: {\"channel\":\"chat:42\",\"recovered\":false,\"reason\":\"expired\"}\n\n"
    );
}

TEST(event_stream, protocol_8_4_6_the_stream_starts_with_retry_and_open) {
    std::string out;
    const cursor start = cursor_of({{"x7Qa", 18}, {"mm21", 0}});
    append_open(out, {"chat:42", "news"}, start, &start);
    EXPECT_EQ(
        out,
        "retry: 2000\nevent: pulsewire.open\nid: 1.x7Qa.18.mm21.0\n"
        "data: {\"positions\":[{\"channel\":\"chat:42\",\"epoch\":\"x7Qa\",\"offset\":18},"
        "{\"channel\":\"news\",\"epoch\":\"mm21\",\"offset\":0}]}\n\n"
    );
    EXPECT_EQ(event_source(out).retry_ms, 2000u);
}

TEST(event_stream, protocol_8_4_6_ping_and_close_are_events) {
    std::string out;
    append_ping(out, 1764000000000);
    append_ping(out, -1);
    append_close(out, "{\"op\":\"close\",\"code\":1012}\n");
    EXPECT_EQ(
        event_source(out).events, (events{
                                      {"pulsewire.ping", "{\"time\":1764000000000}", ""},
                                      {"pulsewire.ping", "{\"time\":0}", ""},
                                      {"pulsewire.close", "{\"op\":\"close\",\"code\":1012}", ""}})
    );
}

// --- Cursors

TEST(event_stream_cursor, protocol_8_4_3_what_is_encoded_is_read_back) {
    for (std::size_t count : {1u, 2u, 32u}) {
        cursor c(count);
        EXPECT_FALSE(c.complete());
        for (std::size_t i = 0; i < count; ++i)
            c.set(i, std::string(1 + i % 16, "aZ09_-"[i % 6]), i % 3 == 0 ? id_max - i : i);
        EXPECT_TRUE(c.complete());
        const auto read = cursor::parse(c.encode(), count);
        ASSERT_TRUE(read.has_value()) << c.encode();
        ASSERT_EQ(read->size(), count);
        for (std::size_t i = 0; i < count; ++i) {
            EXPECT_EQ(read->at(i).epoch, c.at(i).epoch);
            EXPECT_EQ(read->at(i).offset, c.at(i).offset);
        }
        EXPECT_EQ(read->encode(), c.encode());
    }
}

TEST(event_stream_cursor, protocol_8_4_4_a_cursor_that_does_not_fit_is_refused) {
    EXPECT_EQ(error_of("", 1), cursor_error::wrong_version);
    EXPECT_EQ(error_of("2.e.1", 1), cursor_error::wrong_version);
    EXPECT_EQ(error_of("01.e.1", 1), cursor_error::wrong_version);
    EXPECT_EQ(error_of(" 1.e.1", 1), cursor_error::wrong_version);
    EXPECT_EQ(error_of("1", 1), cursor_error::wrong_count);
    EXPECT_EQ(error_of("1.", 1), cursor_error::wrong_count);
    EXPECT_EQ(error_of("1.e", 1), cursor_error::wrong_count);
    EXPECT_EQ(error_of("1.e.1.", 1), cursor_error::wrong_count);
    EXPECT_EQ(error_of("1.e.1.f.2", 1), cursor_error::wrong_count);
    EXPECT_EQ(error_of("1.e.1", 2), cursor_error::wrong_count);
    EXPECT_EQ(error_of("1", 0), cursor_error::wrong_count);
    EXPECT_EQ(error_of("1..1", 1), cursor_error::bad_epoch);
    EXPECT_EQ(error_of("1.abcdefghijklmnopq.1", 1), cursor_error::bad_epoch);
    for (const char bad : {' ', '\xc3', '\r', '\n', '\0', '+', '/', '=', ':', '%'})
        EXPECT_EQ(error_of(std::string("1.e") + bad + ".1", 1), cursor_error::bad_epoch)
            << static_cast<int>(bad);
    for (const std::string_view bad :
         {"", "-1", "+1", " 1", "1 ", "01", "00", "1e3", "0x1", "1\n", "9007199254740992",
          "99999999999999999"})
        EXPECT_EQ(error_of("1.e." + std::string(bad), 1), cursor_error::bad_offset) << bad;
    EXPECT_EQ(error_of("1.e." + std::string(100'000, '9'), 1), cursor_error::too_long);
    EXPECT_EQ(error_of(std::string(1'000'000, '.'), 32), cursor_error::too_long);
    EXPECT_TRUE(cursor::parse("1.e.9007199254740991", 1).has_value());
    EXPECT_TRUE(cursor::parse("1.abcdefghijklmnop.0", 1).has_value());
    for (int e = 0; e <= static_cast<int>(cursor_error::bad_offset); ++e)
        EXPECT_FALSE(describe(static_cast<cursor_error>(e)).empty());
}

TEST(event_stream_cursor, a_cursor_with_one_byte_changed_is_refused_or_reads_as_it_is_written) {
    const std::string good = cursor_of({{"x7Qa", 19}, {"mm-1", 0}, {"_", id_max}}).encode();
    for (std::size_t i = 0; i < good.size(); ++i)
        for (int c = 0; c < 256; ++c) {
            std::string text = good;
            text[i] = static_cast<char>(c);
            if (const auto read = cursor::parse(text, 3)) {
                ASSERT_EQ(read->encode(), text);
            }
        }
    for (std::size_t size = 0; size < good.size(); ++size) {
        const std::string text = good.substr(0, size);
        const auto read = cursor::parse(text, 3);
        if (read) {
            ASSERT_EQ(read->encode(), text);
        }
    }
}

// --- Nothing breaks out of its field

TEST(event_stream, whatever_bytes_are_given_the_text_is_exactly_one_event_with_only_its_own_fields) {
    std::mt19937 random(20251124);
    const auto pick = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
    static const std::string pieces[] = {
        "\n",      "\r",    "\r\n",     std::string(1, '\0'), "\xef\xbb\xbf", "\xe2\x80\xa8", ":",    " ",
        "data: x", "id: 9", "event: e", "retry: 1",           "\n\n",         "{\"a\":1}",    "\x85", "\xff"};
    const auto anything = [&] {
        std::string out;
        for (int i = pick(8); i > 0; --i) out += pieces[pick(16)];
        return out;
    };
    const auto as_sent = [](std::string text) {
        for (char& c : text)
            if (c == '\n' || c == '\r' || c == '\0') c = ' ';
        return text;
    };
    for (int round = 0; round < 20'000; ++round) {
        const std::string type = anything(), data = anything(), epoch = anything();
        const cursor id = cursor_of({{epoch, static_cast<std::uint64_t>(pick(1000))}});
        std::string out;
        append_event(out, type, &id, data);
        const event_source s(out);
        ASSERT_EQ(s.events.size(), 1u) << out;
        EXPECT_EQ(s.events[0].type, type.empty() ? "message" : as_sent(type));
        EXPECT_EQ(s.events[0].data, as_sent(data));
        EXPECT_EQ(s.last_id, as_sent(id.at(0).epoch).insert(0, "1.") + "." + std::to_string(id.at(0).offset));
        EXPECT_TRUE(s.unknown_fields.empty() && s.comments.empty() && !s.retry_ms && !s.unfinished) << out;

        std::string batch;
        append_batch(batch, data);
        append_gap(batch, type, epoch, nullptr);
        append_stream_event(batch, type);
        append_close(batch, data);
        append_open(batch, {type}, id, nullptr);
        const event_source all(batch);
        EXPECT_EQ(all.events.size(), 4u + (data.find_first_not_of('\n') != std::string::npos)) << batch;
        EXPECT_TRUE(all.unknown_fields.empty() && all.comments.empty() && all.last_id.empty()) << batch;
        EXPECT_EQ(all.retry_ms, retry_ms);
    }
}

TEST(event_stream, white_space_between_json_tokens_stays_white_space) {
    std::string out;
    append_data(out, "{\"a\":1,\r\n\"b\":[\r\r2]}");
    EXPECT_EQ(out, "data: {\"a\":1,  \"b\":[  2]}\n");
}

}  // namespace
}  // namespace pulsewire::event_stream
