#include "common/exchange/shard_message.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

namespace pulsewire::hub {
namespace {

constexpr std::size_t much = 10'000;
const std::string text(much, 'x');

std::size_t memory_beyond_itself(shard_message m) {
    return memory_of(m) - sizeof m;
}

message_ptr long_message() {
    return std::make_shared<const message>(much);
}

TEST(shard_message, a_value_without_texts_takes_its_own_size) {
    EXPECT_EQ(memory_beyond_itself(channel_change(publish{})), 0u);
    EXPECT_EQ(memory_beyond_itself(to_session(deliver{})), 0u);
}

TEST(shard_message, every_text_of_what_changes_a_channel_counts) {
    publish p;
    p.channel = p.type = p.key = p.payload = p.except = p.conflate = p.user = text;
    EXPECT_EQ(memory_beyond_itself(channel_change(p)), 7 * much);
    EXPECT_EQ(memory_beyond_itself(channel_change(join{0, 0, text, text, {text, text, text}})), 5 * much);
    EXPECT_EQ(memory_beyond_itself(channel_change(part{0, 0, text, text})), 2 * much);
    EXPECT_EQ(
        memory_beyond_itself(channel_change(ask{{}, 0, text, text, text, text, text, text, 0})), 6 * much
    );
    EXPECT_EQ(memory_beyond_itself(channel_change(unask{{}, 0, text})), much);
}

TEST(shard_message, every_text_of_what_reads_a_channel_counts) {
    attach a;
    query q;
    a.channel = q.channel = q.after = text;
    EXPECT_EQ(memory_beyond_itself(channel_read(a)), much);
    EXPECT_EQ(memory_beyond_itself(channel_read(detach{0, text})), much);
    EXPECT_EQ(memory_beyond_itself(channel_read(q)), 2 * much);
}

TEST(shard_message, the_lines_for_sessions_count_and_a_replay_counts_its_references) {
    const std::size_t line = sizeof(message) + much;
    EXPECT_EQ(memory_beyond_itself(to_session(deliver{long_message()})), line);
    EXPECT_EQ(memory_beyond_itself(to_session(reply{{}, long_message(), 0, 0})), line);
    attached a;
    a.subscribed = long_message();
    a.members = {long_message(), long_message()};
    a.replay = {long_message(), long_message()};
    EXPECT_EQ(memory_beyond_itself(to_session(std::move(a))), 3 * line + 2 * sizeof(message_ptr));
    attach_refused refused;
    refused.channel = text;
    refused.error = long_message();
    EXPECT_EQ(memory_beyond_itself(to_session(refused)), much + line);
    EXPECT_EQ(memory_beyond_itself(to_session(withdrawn{{}, 0, text})), much);
    EXPECT_EQ(memory_beyond_itself(to_session(disconnect{{}, close_code::normal, text})), much);
}

}  // namespace
}  // namespace pulsewire::hub
