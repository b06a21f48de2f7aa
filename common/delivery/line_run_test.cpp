// A run that is long is several messages, made once for all.

#include "common/delivery/line_run.hpp"

#include "common/delivery/outbound_fixture_test.hpp"
#include "common/exchange/message_text.hpp"
#include "common/protocol/websocket_reader.hpp"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace pulsewire::delivery {
namespace {

hub::message_ptr publication(std::uint64_t offset, std::size_t size) {
    hub::publish p;
    p.channel = "a";
    p.type = "t";
    p.payload = std::string(size, '1');
    return hub::make_message(p, offset, 1, slow_consumer::disconnect);
}

// Says what it compressed.
struct marking final : compressor {
    std::string compress(std::string_view message) override {
        return "<" + std::to_string(message.size()) + ">";
    }
};

class line_run_test : public outbound_test {
protected:
    std::shared_ptr<line_run> run_of(framing how, std::size_t count, std::size_t size) {
        auto run = std::make_shared<line_run>(how);
        for (std::size_t i = 1; i <= count; ++i) {
            run->append(publication(i, size));
            lines_ += run->messages().back()->line;
        }
        return run;
    }
    static std::vector<std::string> messages_of(std::string bytes) {
        websocket::reader reader(websocket::role::client, 1 << 24);
        std::span<char> left(bytes);
        std::vector<std::string> messages;
        for (auto e = reader.next(left); e.kind == websocket::event_kind::text; e = reader.next(left))
            messages.emplace_back(e.data);
        EXPECT_TRUE(left.empty());
        return messages;
    }
    void expect_lines_in_short_messages(const std::vector<std::string>& messages) const {
        std::string all;
        for (const std::string& m : messages) {
            EXPECT_LE(m.size(), joined_bytes_max);
            EXPECT_EQ(m.back(), '\n') << "a line is never cut";
            all += m;
        }
        EXPECT_EQ(all, lines_);
    }

    std::string lines_;
};

TEST_F(line_run_test, is_one_message_where_it_is_short) {
    auto run = run_of(framing::websocket, 64, 128);
    run->seal();
    EXPECT_EQ(messages_of(*run->websocket_message(nullptr)), std::vector{lines_});
}

TEST_F(line_run_test, is_several_messages_where_it_is_long_and_made_once) {
    auto run = run_of(framing::websocket, 30, 2'000);
    run->seal();
    const shared_bytes made = run->websocket_message(nullptr);
    EXPECT_EQ(run->websocket_message(nullptr), made);
    const auto messages = messages_of(*made);
    EXPECT_EQ(messages.size(), 5u);
    expect_lines_in_short_messages(messages);
}

TEST_F(line_run_test, each_of_its_messages_is_compressed_by_itself) {
    auto run = run_of(framing::websocket, 8, 3'000);
    run->seal();
    marking with;
    const std::size_t line = lines_.size() / 8;
    std::string expected;
    for (const std::size_t count : {5, 3}) {
        const std::string text = "<" + std::to_string(count * line) + ">";
        expected += '\xc1';
        expected += static_cast<char>(text.size());
        expected += text;
    }
    EXPECT_EQ(*run->websocket_message(&with), expected);
}

TEST_F(line_run_test, keeps_the_bound_behind_other_lines_of_a_queue) {
    queue_.set_framing(framing::websocket);
    lines_ = "answer\n";
    queue_.push_line(bytes_of(lines_));
    queue_.push_run(run_of(framing::websocket, 30, 2'000));
    queue_.push_line(bytes_of("behind\n"));
    lines_ += "behind\n";
    expect_lines_in_short_messages(messages_of(pass_all()));
}

TEST_F(line_run_test, is_several_events_where_it_is_long) {
    queue_.set_framing(framing::event_stream);
    queue_.push_line(bytes_of("answer\n"));
    queue_.push_run(run_of(framing::event_stream, 30, 2'000));
    queue_.push_line(bytes_of("behind\n"));
    const std::string all = pass_all();
    std::string lines;
    std::size_t events = 0, event_bytes = 0;
    for (std::size_t at = 0, end = 0; (end = all.find('\n', at)) != std::string::npos; at = end + 1) {
        const std::string line = all.substr(at, end + 1 - at);
        if (line == "\n") {
            ++events;
            EXPECT_LE(event_bytes, joined_bytes_max);
            event_bytes = 0;
            continue;
        }
        ASSERT_TRUE(line.starts_with("data: "));
        lines += line.substr(6);
        event_bytes += line.size();
    }
    EXPECT_EQ(event_bytes, 0u) << "the last event has its end";
    EXPECT_EQ(events, 7u);
    EXPECT_EQ(lines, "answer\n" + lines_ + "behind\n");
}

TEST_F(line_run_test, is_taken_apart_for_a_slow_reader_whatever_its_messages) {
    queue_.set_framing(framing::websocket);
    auto run = run_of(framing::websocket, 30, 2'000);
    queue_.push_run(std::move(run));
    // The peer's buffer is full in the middle of the first message.
    EXPECT_EQ(write().how, outcome::blocked);
    const std::string begun = read();
    expect_lines_in_short_messages(messages_of(begun + pass_all()));
}

}  // namespace
}  // namespace pulsewire::delivery
