#include "server/streams/log.hpp"

#include "common/exchange/message_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace pulsewire::shell::streams {
namespace {

// The publications of one channel, one after the other.
class log_test : public ::testing::Test {
protected:
    outcome publish(std::string_view type, const written& w, std::uint64_t covers = 0) {
        hub::publish_view p;
        p.channel = "stream:a";
        p.type = type;
        p.payload = w.payload;
        p.binary = w.binary;
        p.snapshot.covers = covers;
        hub::message_ptr m = hub::make_message(p, ++offset_, now_ms_, slow_consumer::disconnect);
        if (m->is_snapshot) m = hub::make_snapshot_mark(*m);
        return log_.apply(m);
    }
    outcome create(const std::string& type = "text/plain", const std::string& data = {}) {
        creation c;
        c.content_type = type;
        c.ttl_s = ttl_s_;
        return publish(create_type, write(c, data, false));
    }
    outcome append(const std::string& data, addition a = {}) {
        return publish(append_type, write(a, data, false));
    }
    static addition by(const std::string& id, std::uint64_t epoch, std::uint64_t seq) {
        addition a;
        a.by = producer{id, epoch, seq};
        return a;
    }
    static addition closing() {
        addition a;
        a.closed = true;
        return a;
    }
    std::string text() const {
        std::string all;
        for (const auto& p : log_.after(0)) all += p.data;
        return all;
    }

    log log_;
    std::uint64_t offset_ = 0;
    std::int64_t now_ms_ = 1'000'000;
    std::optional<std::uint64_t> ttl_s_;
};

TEST_F(log_test, is_what_was_appended_after_its_creation) {
    EXPECT_EQ(append("too early").what, verdict::none);
    EXPECT_FALSE(log_.exists(now_ms_));
    EXPECT_EQ(create("text/plain", "one ").what, verdict::taken);
    EXPECT_EQ(create().what, verdict::same);
    EXPECT_EQ(create("text/html").what, verdict::differs);
    const outcome o = append("two");
    EXPECT_EQ(o.what, verdict::taken);
    EXPECT_EQ(o.offset, 5u);
    EXPECT_EQ(text(), "one two");
    EXPECT_EQ(log_.tail(), 5u);
    ASSERT_EQ(log_.after(2).size(), 1u);
    EXPECT_EQ(log_.after(2)[0].data, "two");
    EXPECT_TRUE(log_.after(5).empty());
}

TEST_F(log_test, the_order_decides_what_came_before_its_end) {
    create();
    EXPECT_EQ(append("last", closing()).what, verdict::taken);
    EXPECT_EQ(append("too late").what, verdict::closed);
    EXPECT_EQ(append("", closing()).what, verdict::repeated);
    EXPECT_EQ(append("", by("p", 0, 0)).what, verdict::closed);
    EXPECT_EQ(text(), "last");
    EXPECT_TRUE(log_.closed());
    EXPECT_EQ(log_.tail(), 2u);
}

TEST_F(log_test, a_producer_counts_once_and_in_order) {
    create();
    EXPECT_EQ(append("x", by("p", 0, 1)).what, verdict::gap);
    EXPECT_EQ(append("a", by("p", 0, 0)).what, verdict::taken);
    EXPECT_EQ(append("a", by("p", 0, 0)).what, verdict::repeated);
    EXPECT_EQ(append("b", by("p", 0, 1)).what, verdict::taken);
    const outcome again = append("a", by("p", 0, 0));
    EXPECT_EQ(again.what, verdict::repeated);
    EXPECT_EQ(again.seq, 1u);
    const outcome gap = append("x", by("p", 0, 3));
    EXPECT_EQ(gap.what, verdict::gap);
    EXPECT_EQ(gap.seq, 2u);
    EXPECT_EQ(append("x", by("p", 1, 1)).what, verdict::late_start);
    EXPECT_EQ(append("c", by("p", 1, 0)).what, verdict::taken);
    const outcome fenced = append("x", by("p", 0, 2));
    EXPECT_EQ(fenced.what, verdict::fenced);
    EXPECT_EQ(fenced.epoch, 1u);
    EXPECT_EQ(append("d", by("q", 7, 0)).what, verdict::taken);
    EXPECT_EQ(text(), "abcd");
}

TEST_F(log_test, a_close_that_is_repeated_is_no_fault) {
    create();
    addition a = by("p", 0, 0);
    a.closed = true;
    EXPECT_EQ(append("end", a).what, verdict::taken);
    EXPECT_EQ(append("end", a).what, verdict::repeated);
    EXPECT_EQ(append("more", by("p", 0, 1)).what, verdict::closed);
}

TEST_F(log_test, stream_seq_grows) {
    create();
    const auto at = [](std::string order) {
        addition a;
        a.order = std::move(order);
        return a;
    };
    EXPECT_EQ(append("a", at("2")).what, verdict::taken);
    EXPECT_EQ(append("b", at("10")).what, verdict::out_of_order);
    EXPECT_EQ(append("b", at("2")).what, verdict::out_of_order);
    EXPECT_EQ(append("b", at("3")).what, verdict::taken);
    EXPECT_EQ(text(), "ab");
}

TEST_F(log_test, what_is_removed_is_gone_and_a_new_one_is_another) {
    create("text/plain", "old");
    append("", by("p", 0, 0));
    EXPECT_EQ(publish(delete_type, {"null", false}, 2).what, verdict::taken);
    EXPECT_FALSE(log_.exists(now_ms_));
    EXPECT_EQ(append("lost").what, verdict::none);
    now_ms_ += 5;
    EXPECT_EQ(create("text/html", "new").what, verdict::taken);
    EXPECT_EQ(text(), "new");
    // What was meant for the first one.
    addition a;
    a.of = 1;
    EXPECT_EQ(append("old", a).what, verdict::none);
    // A removal that came late covers the first one alone.
    EXPECT_EQ(publish(delete_type, {"null", false}, 3).what, verdict::none);
    EXPECT_EQ(text(), "new");
    EXPECT_EQ(log_.judge(by("p", 0, 0), true, {}, now_ms_).what, verdict::taken);
}

TEST_F(log_test, it_lives_as_long_as_it_is_used) {
    ttl_s_ = 16;
    create();
    now_ms_ += 15'999;
    EXPECT_TRUE(log_.exists(now_ms_));
    EXPECT_TRUE(log_.read_counts(now_ms_));
    addition read;
    read.of = 1;
    publish(read_type, write(read, {}, true));
    // A read makes it live a little longer, so that the next ones need no word.
    EXPECT_FALSE(log_.read_counts(now_ms_ + 1'000));
    EXPECT_TRUE(log_.read_counts(now_ms_ + 1'001));
    now_ms_ += 16'999;
    EXPECT_TRUE(log_.exists(now_ms_));
    EXPECT_EQ(append("x").what, verdict::taken);
    now_ms_ += 16'000;
    EXPECT_FALSE(log_.exists(now_ms_));
    EXPECT_TRUE(log_.is_kept());
    EXPECT_EQ(append("x").what, verdict::none);
    EXPECT_EQ(create("text/html").what, verdict::taken);
    EXPECT_EQ(text(), "");
}

TEST_F(log_test, what_others_publish_into_the_channel_is_no_part_of_it) {
    create("application/json");
    EXPECT_EQ(publish("chat.message", {"1", false}).what, verdict::ignored);
    for (const char* bad :
         {"1", "{}", "[]", R"({"head":[]})", R"({"head":{"of":"x"},"messages":[1]})",
          R"({"head":{"producer":"","epoch":0,"seq":0},"messages":[1]})"})
        EXPECT_EQ(publish(append_type, {bad, false}).what, verdict::ignored) << bad;
    EXPECT_EQ(publish(append_type, {"{\"head\"", true}).what, verdict::ignored);
    // Bytes in a stream of JSON.
    EXPECT_EQ(append("bytes").what, verdict::other_type);
    EXPECT_EQ(publish(append_type, {R"({"messages":[1,{"a":2}],"head":{}})", false}).what, verdict::taken);
    EXPECT_EQ(text(), R"(1,{"a":2})");
}

TEST_F(log_test, somebody_elses_snapshot_ends_what_it_covers) {
    create("text/plain", "a");
    EXPECT_EQ(publish("board.state", {"{}", false}, 1).what, verdict::taken);
    EXPECT_FALSE(log_.exists(now_ms_));
}

TEST(media_types, are_compared_without_case_and_parameters) {
    EXPECT_EQ(media_type_of(" Application/JSON ; charset=utf-8"), "application/json");
    EXPECT_TRUE(is_text("text/markdown"));
    EXPECT_TRUE(is_text("application/json"));
    EXPECT_FALSE(is_text("image/png"));
}

}  // namespace
}  // namespace pulsewire::shell::streams
