#include "server/net/address_limits.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace pulsewire::shell {
namespace {

constexpr hash_key secret{1, 2};
constexpr auto admitted = address_limits::outcome::admitted;

address at(const std::string& text) {
    return address::parse(text).value();
}

TEST(address_limits, an_address_opens_so_many_connections_and_others_go_on) {
    address_limits limits(secret, {2, 0, 0}, {});
    address_limits::held first, second, third, other;
    EXPECT_EQ(limits.connect(at("192.0.2.1"), 0, first), admitted);
    EXPECT_EQ(limits.connect(at("192.0.2.1"), 0, second), admitted);
    EXPECT_EQ(limits.connect(at("192.0.2.1"), 0, third), address_limits::outcome::too_many_connections);
    EXPECT_EQ(limits.connect(at("192.0.2.2"), 0, other), admitted);
    second = {};
    EXPECT_EQ(limits.connect(at("192.0.2.1"), 0, third), admitted) << "one has ended";
}

TEST(address_limits, a_connection_that_moves_is_counted_once) {
    address_limits limits(secret, {1, 0, 0}, {});
    address_limits::held first;
    ASSERT_EQ(limits.connect(at("192.0.2.1"), 0, first), admitted);
    address_limits::held moved(std::move(first));
    first = std::move(moved);
    address_limits::held refused;
    EXPECT_NE(limits.connect(at("192.0.2.1"), 0, refused), admitted);
    first = {};
    EXPECT_EQ(limits.connect(at("192.0.2.1"), 0, refused), admitted);
}

TEST(address_limits, ipv6_counts_by_the_network_of_a_customer) {
    address_limits limits(secret, {1, 0, 0}, {});
    address_limits::held first, second, other;
    EXPECT_EQ(limits.connect(at("2001:db8:1:2::1"), 0, first), admitted);
    EXPECT_NE(limits.connect(at("2001:db8:1:2:ffff::"), 0, second), admitted);
    EXPECT_EQ(limits.connect(at("2001:db8:1:3::1"), 0, other), admitted);
}

TEST(address_limits, ipv4_and_its_mapped_form_are_one_address) {
    address_limits limits(secret, {1, 0, 0}, {});
    address_limits::held first, second;
    EXPECT_EQ(limits.connect(at("192.0.2.1"), 0, first), admitted);
    EXPECT_NE(limits.connect(at("::ffff:192.0.2.1"), 0, second), admitted);
}

TEST(address_limits, this_machine_has_its_own_bounds) {
    address_limits limits(secret, {1, 1, 1}, {});
    std::vector<address_limits::held> open(1'000);
    for (auto& one : open) EXPECT_EQ(limits.connect(at("127.0.0.1"), 0, one), admitted);
    for (int i = 0; i < 1'000; ++i) EXPECT_EQ(limits.request(at("::1"), 0), 0);
}

TEST(address_limits, proxies_have_none) {
    address_limits limits(secret, {1, 1, 1}, {1, 1, 1}, {network::parse("10.0.0.0/8").value()});
    std::vector<address_limits::held> open(100);
    for (auto& one : open) EXPECT_EQ(limits.connect(at("10.1.2.3"), 0, one), admitted);
    for (int i = 0; i < 100; ++i) EXPECT_EQ(limits.request(at("10.1.2.3"), 0), 0);
}

TEST(address_limits, lines_about_an_address_are_ten_a_second) {
    address_limits limits(secret, {}, {});
    int written = 0;
    for (int i = 0; i < 100; ++i) written += limits.admits_line(at("127.0.0.1"), 0) ? 1 : 0;
    EXPECT_EQ(written, 10);
    EXPECT_TRUE(limits.admits_line(at("192.0.2.1"), 0));
    EXPECT_TRUE(limits.admits_line(at("127.0.0.1"), 100));
}

TEST(address_limits, connections_are_opened_at_a_rate_with_a_burst_of_ten_seconds) {
    address_limits limits(secret, {0, 5, 0}, {});
    address_limits::held open;
    int taken = 0;
    while (taken < 1'000 && limits.connect(at("192.0.2.1"), 1'000, open) == admitted) ++taken;
    EXPECT_EQ(taken, 50);
    EXPECT_EQ(limits.connect(at("192.0.2.1"), 1'100, open), address_limits::outcome::too_many_connects);
    EXPECT_EQ(limits.connect(at("192.0.2.1"), 1'200, open), admitted);
    EXPECT_NE(limits.connect(at("192.0.2.1"), 1'200, open), admitted);
}

TEST(address_limits, who_is_refused_is_told_when_to_come_back) {
    address_limits limits(secret, {0, 0, 10}, {});
    for (int i = 0; i < 20; ++i) EXPECT_EQ(limits.request(at("192.0.2.1"), 50'000), 0);
    const std::int64_t wait_ms = limits.request(at("192.0.2.1"), 50'000);
    EXPECT_GT(wait_ms, 0);
    EXPECT_LE(wait_ms, 101);
    EXPECT_EQ(limits.request(at("192.0.2.1"), 50'000 + wait_ms), 0);
    EXPECT_EQ(limits.request(at("192.0.2.9"), 50'000), 0);
}

TEST(address_limits, refusals_cost_nothing_and_patience_pays) {
    address_limits limits(secret, {0, 0, 10}, {});
    for (int i = 0; i < 10'000; ++i) limits.request(at("192.0.2.1"), 0);
    int taken = 0;
    for (int i = 0; i < 100; ++i) taken += limits.request(at("192.0.2.1"), 60'000) == 0 ? 1 : 0;
    EXPECT_EQ(taken, 20) << "a bucket holds two seconds, however long it was left alone";
}

TEST(address_limits, a_penalty_is_paid_off_in_time) {
    address_limits limits(secret, {0, 0, 10}, {});
    EXPECT_EQ(limits.request(at("192.0.2.1"), 0, 100), 0);
    const std::int64_t wait_ms = limits.request(at("192.0.2.1"), 0);
    EXPECT_GT(wait_ms, 8'000);
    EXPECT_LE(wait_ms, 8'200);
    EXPECT_EQ(limits.request(at("192.0.2.1"), wait_ms), 0);
}

TEST(address_limits, loops_at_a_time_admit_no_more_than_one_would) {
    address_limits limits(secret, {500, 0, 0}, {});
    std::vector<std::vector<address_limits::held>> open(4);
    std::atomic<int> taken{0};
    std::vector<std::thread> loops;
    for (auto& mine : open)
        loops.emplace_back([&] {
            for (int i = 0; i < 1'000; ++i) {
                address_limits::held one;
                if (limits.connect(at("192.0.2.1"), 0, one) != admitted) continue;
                ++taken;
                mine.push_back(std::move(one));
            }
        });
    for (std::thread& t : loops) t.join();
    EXPECT_LE(taken, 500);
    EXPECT_GT(taken, 400) << "those that are refused at a time may be a few too many";
    open.clear();
    address_limits::held all[500];
    for (auto& one : all) EXPECT_EQ(limits.connect(at("192.0.2.1"), 0, one), admitted) << "all have ended";
}

// 18,000 other addresses, the default of connections_max.
TEST(address_limits, a_crowd_of_others_makes_no_limit_come_early) {
    address_limits limits(secret, {100, 100, 100}, {});
    std::vector<address_limits::held> open(18'000);
    for (std::uint32_t i = 0; i < open.size(); ++i) {
        const std::string text = "10." + std::to_string(i >> 16) + "." + std::to_string(i >> 8 & 255) + "." +
                                 std::to_string(i & 255);
        EXPECT_EQ(limits.connect(at(text), 0, open[i]), admitted) << text;
    }
    address_limits::held mine[90];
    for (auto& one : mine) EXPECT_EQ(limits.connect(at("192.0.2.1"), 0, one), admitted);
}

TEST(address_limits, an_address_is_one_source_and_one_that_many_share_is_none) {
    address_limits limits(secret, {}, {}, {*network::parse("198.51.100.0/24")});
    EXPECT_EQ(limits.source_of(at("127.0.0.1")), 0u);
    EXPECT_EQ(limits.source_of(at("198.51.100.7")), 0u) << "a proxy";
    EXPECT_NE(limits.source_of(at("192.0.2.1")), 0u);
    EXPECT_NE(limits.source_of(at("192.0.2.1")), limits.source_of(at("192.0.2.2")));
    EXPECT_EQ(limits.source_of(at("2001:db8::1")), limits.source_of(at("2001:db8::2"))) << "one customer";
    EXPECT_NE(limits.source_of(at("2001:db8:0:1::1")), limits.source_of(at("2001:db8::1")));

    for (const char* text : {"127.0.0.1", "198.51.100.7", "192.0.2.1", "2001:db8::1"}) {
        address_limits::held counted;
        EXPECT_EQ(limits.source_of(at(text), counted), limits.source_of(at(text))) << "not counted yet";
        (void)limits.connect(at(text), 0, counted);
        EXPECT_EQ(limits.source_of(at(text), counted), limits.source_of(at(text))) << text;
    }
}

}  // namespace
}  // namespace pulsewire::shell
