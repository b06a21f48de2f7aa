#include "common/cluster/shared_options.hpp"

#include <gtest/gtest.h>

namespace pulsewire::cluster {
namespace {

shared_options some() {
    shared_options o;
    o.namespaces["chat"] = {7, 8, 9};
    o.secret = {1, 2};
    return o;
}

TEST(shared_options, come_back_as_they_were_written) {
    const auto back = decode_options(encode(some()));
    ASSERT_TRUE(back);
    EXPECT_EQ(encode(*back), encode(some()));
    EXPECT_EQ(back->of("chat:1").history_count_max, 7u);
    EXPECT_EQ(back->of("other").history_count_max, history_options{}.history_count_max);
}

TEST(shared_options, that_are_cut_or_too_long_are_refused) {
    const std::string bytes = encode(some());
    for (std::size_t n = 0; n < bytes.size(); ++n) EXPECT_FALSE(decode_options(bytes.substr(0, n)));
    EXPECT_FALSE(decode_options(bytes + "x"));
}

TEST(shared_options, agree_when_only_the_drawn_secret_differs) {
    shared_options other = some();
    other.secret = {3, 4};
    EXPECT_TRUE(some().agrees_with(other));
    other.idempotency_ms += 1;
    EXPECT_FALSE(some().agrees_with(other));
}

}  // namespace
}  // namespace pulsewire::cluster
