#include "common/cluster/image_collector.hpp"

#include <gtest/gtest.h>

namespace pulsewire::cluster {
namespace {

std::string chunk(process_id process, std::uint64_t position, std::uint32_t index, std::string_view bytes) {
    record r;
    r.process = process;
    r.connection = 1;
    r.seq = 1;
    r.body = image_chunk{{position, {1, 2}}, {position, 0}, index, 2, bytes};
    return encode(r);
}

TEST(image_collector, puts_the_newest_whole_image_together) {
    image_collector images;
    images.read(chunk(1, 5, 0, "old "));
    images.read(chunk(2, 9, 0, "new "));
    images.read("junk");
    images.read(chunk(1, 5, 1, "image"));
    ASSERT_TRUE(images.best());
    EXPECT_EQ(images.best()->bytes, "old image");
    images.read(chunk(2, 9, 1, "image"));
    EXPECT_EQ(images.best()->bytes, "new image");
    EXPECT_EQ(images.best()->at.position, 9u);
    EXPECT_EQ(images.best()->at_mark, (mark{9, 0}));
}

TEST(image_collector, a_chunk_that_was_sent_again_does_not_begin_the_image_anew) {
    image_collector images;
    images.read(chunk(1, 5, 0, "half "));
    images.read(chunk(1, 5, 0, "half "));
    images.read(chunk(1, 3, 0, "late"));
    images.read(chunk(1, 5, 1, "image"));
    ASSERT_TRUE(images.best());
    EXPECT_EQ(images.best()->bytes, "half image");
}

TEST(image_collector, passes_over_halves_and_images_beyond_its_limit) {
    image_collector images(7);
    images.read(chunk(1, 5, 0, "half"));
    images.read(chunk(2, 5, 1, "half"));
    images.read(chunk(3, 8, 0, "too "));
    images.read(chunk(3, 8, 1, "new"));
    EXPECT_FALSE(images.best());
}

}  // namespace
}  // namespace pulsewire::cluster
