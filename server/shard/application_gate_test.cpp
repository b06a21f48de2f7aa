#include "server/shard/application_gate.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace pulsewire::shell {
namespace {

class narrow_application : public application_port {
public:
    explicit narrow_application(int room) : room_(room) {}
    void post(std::vector<hub::shard_message>&&) override {}
    bool admit() override { return room_-- > 0; }
    interests wants() const override { return {}; }

private:
    int room_;
};

hub::client_publish publish(std::uint64_t id) {
    hub::client_publish p;
    p.what.from = {2, 17};
    p.what.id = id;
    return p;
}

TEST(application_gate, what_has_room_passes_and_what_has_none_is_answered_overloaded) {
    narrow_application application(1);
    application_gate gate(&application);
    EXPECT_TRUE(gate.judge(publish(7)).passes);
    const auto refused = gate.judge(publish(8));
    EXPECT_FALSE(refused.passes);
    ASSERT_TRUE(refused.answer);
    EXPECT_EQ(refused.answer->to.connection, 17u);
    EXPECT_EQ(refused.answer->what->id, 8u);
    EXPECT_EQ(refused.answer->what->code, error_code::overloaded);
    EXPECT_EQ(refused.answer->ends_request, 0u);
}

TEST(application_gate, a_refused_request_is_ended) {
    narrow_application application(0);
    hub::client_request request;
    request.from = {2, 17};
    request.id = 9;
    const auto refused = application_gate(&application).judge(request);
    ASSERT_TRUE(refused.answer);
    EXPECT_EQ(refused.answer->ends_request, 9u);
}

TEST(application_gate, a_refused_publish_without_an_id_is_left_out_without_a_word) {
    narrow_application application(0);
    const auto refused = application_gate(&application).judge(publish(0));
    EXPECT_FALSE(refused.passes);
    EXPECT_FALSE(refused.answer);
}

TEST(application_gate, news_passes_however_full_the_application_is) {
    narrow_application application(0);
    EXPECT_TRUE(application_gate(&application).judge(hub::disconnected{}).passes);
}

TEST(application_gate, without_handlers_everything_passes) {
    EXPECT_TRUE(application_gate(nullptr).judge(publish(7)).passes);
}

}  // namespace
}  // namespace pulsewire::shell
