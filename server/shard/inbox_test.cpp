#include "server/shard/inbox.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace pulsewire::shell {
namespace {

constexpr std::chrono::milliseconds none{0}, much{3'600'000};

std::vector<hub::shard_message> batch(std::vector<std::string> reasons) {
    std::vector<hub::shard_message> all;
    for (std::string& reason : reasons) {
        hub::disconnect value;
        value.reason = std::move(reason);
        all.emplace_back(hub::to_session(std::move(value)));
    }
    return all;
}

std::string reason_of(const hub::shard_message& m) {
    return std::get<hub::disconnect>(std::get<hub::to_session>(m)).reason;
}

std::string taken(inbox& mail, std::chrono::milliseconds most) {
    std::string all;
    mail.take(time_slice(most), [&](hub::shard_message&& m) { all += reason_of(m); });
    return all;
}

TEST(inbox, batches_are_received_in_their_order) {
    inbox mail;
    mail.add(batch({"a", "b"}), 20);
    mail.add(batch({"c"}), 5);
    EXPECT_EQ(taken(mail, much), "abc");
    EXPECT_TRUE(mail.empty());
    EXPECT_EQ(mail.take_done_bytes(), 25u);
    EXPECT_EQ(mail.take_done_bytes(), 0u);
}

// A batch counts until its last value is received: the bound on mail would be none otherwise.
TEST(inbox, a_long_batch_is_received_in_slices_and_counts_until_its_end) {
    inbox mail;
    mail.add(batch({"a", "b"}), 20);
    mail.add(batch({"c"}), 5);
    EXPECT_EQ(taken(mail, none), "a");
    EXPECT_EQ(mail.take_done_bytes(), 0u);
    EXPECT_EQ(taken(mail, none), "b");
    EXPECT_EQ(mail.take_done_bytes(), 20u);
    EXPECT_FALSE(mail.empty());
    EXPECT_EQ(taken(mail, none), "c");
    EXPECT_EQ(mail.take_done_bytes(), 5u);
    EXPECT_TRUE(mail.empty());
}

TEST(inbox, a_value_that_cannot_be_received_takes_no_other_with_it) {
    inbox mail;
    mail.add(batch({"a", "b", "c"}), 20);
    std::string all;
    const auto receive = [&](hub::shard_message&& m) {
        if (reason_of(m) != "b") all += reason_of(m);
        if (reason_of(m) == "b") throw std::runtime_error("no memory");
    };
    EXPECT_THROW(mail.take(time_slice(much), receive), std::runtime_error);
    mail.take(time_slice(much), receive);
    EXPECT_EQ(all, "ac");
    EXPECT_EQ(mail.take_done_bytes(), 20u);
}

TEST(inbox, an_empty_batch_is_done_at_once) {
    inbox mail;
    mail.add({}, 7);
    EXPECT_EQ(taken(mail, none), "");
    EXPECT_EQ(mail.take_done_bytes(), 7u);
}

}  // namespace
}  // namespace pulsewire::shell
