// The test suite of json-schema.org (testdata/, with its licence), as far as its schemas use our keywords
// alone: every case must be answered as the suite says. What is refused is counted by keyword.

#include "common/schema/checker.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <fstream>
#include <iostream>
#include <map>
#include <string>

namespace {

using namespace pulsewire;

constexpr const char* folder = "common/schema/testdata/";
constexpr const char* files[] = {
    "type",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "enum",
    "const",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "ref",
    "defs",
    "definitions",
    "boolean_schema",
    "default",
    "infinite-loop-detection",
    "bignum",
};

struct tally {
    int schemas = 0;
    int cases = 0;
    std::map<std::string, int> refused;  // by what the checker does not take
};

// Why the suite's schema was refused: the last name of the pointer, which is the keyword.
std::string keyword_of(const schema::fault& why) {
    return why.pointer.substr(why.pointer.rfind('/') + 1);
}

void run(const nlohmann::ordered_json& group, const std::string& from, tally& counted) {
    const auto compiled = schema::checker::compile(group["schema"].dump());
    if (!compiled) {
        ++counted.refused[keyword_of(compiled.error())];
        return;
    }
    ++counted.schemas;
    for (const auto& one : group["tests"]) {
        ++counted.cases;
        const auto why = compiled->check(one["data"].dump());
        EXPECT_EQ(!why, one["valid"].get<bool>())
            << from << ": " << group["description"] << ": " << one["description"] << ": " << group["schema"]
            << " and " << one["data"] << (why ? ": " + why->message() : "");
    }
}

tally run_all(const std::string& draft) {
    tally counted;
    for (const std::string file : files) {
        std::ifstream text(folder + draft + "/" + file + ".json");
        if (!text) continue;  // a few files are of one draft alone
        for (const auto& group : nlohmann::ordered_json::parse(text)) run(group, draft + "/" + file, counted);
    }
    std::cout << draft << ": " << counted.cases << " cases of " << counted.schemas << " schemas; refused";
    for (const auto& [keyword, times] : counted.refused) std::cout << " " << keyword << " " << times;
    std::cout << "\n";
    return counted;
}

TEST(schema_suite, draft_7_is_answered_as_the_suite_says) {
    EXPECT_GE(run_all("draft7").cases, 360);
}

TEST(schema_suite, draft_2020_12_is_answered_as_the_suite_says) {
    EXPECT_GE(run_all("draft2020-12").cases, 375);
}

}  // namespace
