#include "server/shard/connection_table.hpp"

#include "server/testing/lone_shard.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <set>
#include <stdexcept>

namespace pulsewire::shell {
namespace {

class a_connection_table : public ::testing::Test {
protected:
    std::uint64_t add() {
        auto made = std::make_unique<connection>(home_, table_.next_id(), tcp_socket(-1));
        return table_.add(std::move(made)).id();
    }

    lone_shard home_;
    std::uint64_t exceptions_ = 0;
    connection_table table_{exceptions_};
};

TEST_F(a_connection_table, a_connection_is_found_by_its_id_until_it_is_removed) {
    const std::uint64_t id = add();
    ASSERT_NE(table_.find(id), nullptr);
    EXPECT_EQ(table_.find(id)->id(), id);
    EXPECT_EQ(table_.remove(id)->id(), id);
    EXPECT_EQ(table_.find(id), nullptr);
    EXPECT_EQ(table_.size(), 0u);
}

TEST_F(a_connection_table, no_id_is_zero_or_given_twice_though_places_are) {
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 100; ++i) {
        const std::uint64_t id = add();
        EXPECT_NE(id, 0u);
        EXPECT_TRUE(seen.insert(id).second);
        table_.remove(id);
    }
    // The low half of an id is its place.
    EXPECT_EQ(static_cast<std::uint32_t>(*seen.begin()), static_cast<std::uint32_t>(*seen.rbegin()));
}

TEST_F(a_connection_table, an_id_that_outlived_its_connection_finds_nothing) {
    const std::uint64_t old = add();
    table_.remove(old);
    const std::uint64_t heir = add();
    EXPECT_EQ(table_.find(old), nullptr);
    EXPECT_NE(table_.find(heir), nullptr);
    EXPECT_EQ(table_.find(0), nullptr);
    EXPECT_EQ(table_.find(~std::uint64_t{0}), nullptr);
}

TEST_F(a_connection_table, each_is_called_once_also_when_connections_are_removed_meanwhile) {
    const std::uint64_t first = add(), second = add(), third = add();
    std::vector<std::uint64_t> called;
    table_.each_guarded([&](connection& c) {
        called.push_back(c.id());
        if (c.id() == first) table_.remove(second);
    });
    EXPECT_EQ(called, (std::vector{first, third}));
}

TEST_F(a_connection_table, nothing_is_called_for_a_connection_that_is_gone) {
    const std::uint64_t id = add();
    table_.remove(id);
    table_.guarded(id, [](connection&) { FAIL(); });
}

TEST_F(a_connection_table, an_exception_ends_its_connection_alone_and_is_counted) {
    home_.on_retire = [this](connection& c) { table_.remove(c.id()).release(); };
    int pair[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    std::vector<std::string> told;
    const std::uint64_t id = table_.next_id();
    connection& c = table_.add(std::make_unique<connection>(home_, id, tcp_socket(pair[0])));
    const tcp_socket peer(pair[1]);
    c.start(std::make_unique<recording_conversation>(told), nullptr);
    const std::uint64_t other = add();
    log::set_level("off");
    table_.guarded(id, [](connection&) { throw std::runtime_error("on purpose"); });
    const std::unique_ptr<connection> ended(&c);
    EXPECT_EQ(told, std::vector<std::string>{"lost"});
    EXPECT_EQ(home_.retired, std::vector{id});
    EXPECT_EQ(exceptions_, 1u);
    EXPECT_NE(table_.find(other), nullptr);
}

}  // namespace
}  // namespace pulsewire::shell
