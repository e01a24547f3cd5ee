// Every wrong argument is named, with what was found; with data and without.
#include "attention/support.h"
#include "fovea/attention/attention.h"

namespace fovea::attention::test {
namespace {

class AttentionErrors : public Poisoned {};

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const c10::Error& error) {
    return error.what_without_backtrace();
  }
  return "no error";
}

Sdpa good(at::Device device) {
  const auto some = [&](at::IntArrayRef sizes) { return at::zeros(sizes).to(device); };
  return {some({2, 3, 4, 8}), some({2, 3, 5, 8}), some({2, 3, 5, 6})};
}

struct Wrong {
  std::function<void(Sdpa&)> change;
  std::vector<std::string> said;
};

const std::vector<Wrong>& wrong_calls() {
  static const std::vector<Wrong> calls{
      {[](Sdpa& s) { s.q = s.q[0]; }, {"q [3, 4, 8]", "wanted 4"}},
      {[](Sdpa& s) { s.v = s.v[0]; }, {"v [3, 5, 6]", "wanted 4"}},
      {[](Sdpa& s) { s.k = s.k.slice(1, 0, 1); }, {"k [2, 1, 5, 8]", "q [2, 3, 4, 8]", "heads"}},
      {[](Sdpa& s) { s.v = s.v.slice(0, 0, 1); }, {"v [1, 3, 5, 6]", "q [2, 3, 4, 8]", "batch"}},
      {[](Sdpa& s) { s.k = s.k.slice(3, 0, 7); }, {"k [2, 3, 5, 7]", "q [2, 3, 4, 8]", "channels"}},
      {[](Sdpa& s) { s.v = s.v.slice(2, 0, 4); }, {"v [2, 3, 4, 6]", "k [2, 3, 5, 8]", "keys"}},
      {[](Sdpa& s) { s.v = s.v.slice(3, 0, 0); }, {"v [2, 3, 5, 0]", "no channels"}},
      {[](Sdpa& s) { s.k = s.k.to(at::kBFloat16); }, {"k is BFloat16", "q, Float"}},
      {[](Sdpa& s) { s.q = s.k = s.q.to(at::kLong); }, {"q is Long", "wanted float"}},
      {[](Sdpa& s) {
         s.bias = at::zeros({2, 3, 4, 4}, s.q.options());
       },
       {"bias [2, 3, 4, 4]", "[2, 3, 4, 5]"}},
      {[](Sdpa& s) {
         s.bias = at::zeros({4, 5}, s.q.options());
       },
       {"bias [4, 5]", "[2, 3, 4, 5]"}},
      {[](Sdpa& s) {
         s.bias = at::zeros({1, 1, 1, 1}, s.q.options().dtype(at::kInt));
       },
       {"bias is Int"}},
      {[](Sdpa& s) {
         s.mask = at::zeros({1, 1, 4, 5}, s.q.options());
       },
       {"mask is Float", "bool"}},
      {[](Sdpa& s) {
         s.mask = at::zeros({1, 2, 4, 5}, s.q.options().dtype(at::kBool));
       },
       {"mask [1, 2, 4, 5]", "[2, 3, 4, 5]"}},
      {[](Sdpa& s) { s.len_k = at::zeros({2}, s.q.options()); },
       {"len_k is Float", "int32 or int64"}},
      {[](Sdpa& s) { s.len_q = at::zeros({3}, s.q.options().dtype(at::kInt)); },
       {"len_q [3]", "wanted [2]", "q [2, 3, 4, 8]"}},
      {[](Sdpa& s) { s.dropout_p = 1; }, {"dropout_p is 1", "0 <= dropout_p < 1"}},
      {[](Sdpa& s) { s.dropout_p = -0.1; }, {"dropout_p is -0.1"}},
      {[](Sdpa& s) { s.dropout_p = kNaN; }, {"dropout_p is nan"}},
      {[](Sdpa& s) { s.dropout_p = 0.5; }, {"rng is absent"}},
      {[](Sdpa& s) { s.dropout_p = 0.5, s.rng = at::zeros({2}, s.q.options().dtype(at::kInt)); },
       {"rng is Int [2]", "int64 [2]"}},
      {[](Sdpa& s) { s.dropout_p = 0.5, s.rng = at::zeros({3}, s.q.options().dtype(at::kLong)); },
       {"rng is Long [3]"}},
      {[](Sdpa& s) {
         s.q = s.q.expand({2, 3, 4, 8}).slice(2, 0, 1).expand({2, 3, 1 << 27, 8}),
         s.want_avg_map = true;
       },
       {"avg_map would have 2 x 134217728 x 5 elements", "2^28"}},
      {[](Sdpa& s) {
         s.q = s.q.slice(1, 0, 1).expand({2, 1 << 30, 4, 8}),
         s.k = s.k.slice(1, 0, 1).expand({2, 1 << 30, 5, 8});
         s.v = s.v.slice(1, 0, 1).expand({2, 1 << 30, 5, 6});
       },
       {"batch x heads is 2147483648", "below 2^31"}},
  };
  return calls;
}

TEST_F(AttentionErrors, NameTheArgumentAndWhatWasFound) {
  for (const at::Device device : {at::Device(at::kCPU), at::Device(at::kMeta)})
    for (const Wrong& wrong : wrong_calls()) {
      Sdpa s = good(device);
      wrong.change(s);
      const std::string said = error_of([&] { sdpa_fwd(s); });
      EXPECT_THAT(said, testing::HasSubstr("fovea::sdpa: "));
      for (const std::string& part : wrong.said) EXPECT_THAT(said, testing::HasSubstr(part));
    }
}

TEST_F(AttentionErrors, NameADeviceThatDiffers) {
  Sdpa s = good(at::kCPU);
  s.len_k = at::zeros({2}, at::TensorOptions().dtype(at::kLong).device(at::kMeta));
  EXPECT_THAT(error_of([&] { sdpa_fwd(s); }),
              testing::HasSubstr("len_k is on meta; wanted that of q, cpu"));
}

TEST_F(AttentionErrors, OfTheBackwardPassNameWhatDoesNotFit) {
  const Sdpa s = good(at::kCPU);
  const auto [out, lse, col_sum, avg_map] = sdpa_fwd(s);
  const auto said = [&](const Passed& passed) {
    return error_of([&] { sdpa_bwd(s, passed, {true, true, true, false}); });
  };
  EXPECT_THAT(said({out.to(at::kDouble), out, lse}),
              testing::HasSubstr("grad_out is Double [2, 3, 4, 6]; wanted Float [2, 3, 4, 6]"));
  EXPECT_THAT(said({out, out.slice(2, 1), lse}), testing::HasSubstr("out is Float [2, 3, 3, 6]"));
  EXPECT_THAT(said({out, out, lse[0]}),
              testing::HasSubstr("lse is Float [3, 4]; wanted Float [2, 3, 4]"));
}

TEST_F(AttentionErrors, OfWindowsNameTheArgumentAndWhatWasFound) {
  const Tensor qkv = at::zeros({2, 6, 8, 24});
  const auto said = [](const Tensor& qkv, const Tensor& table, int64_t heads,
                       const WindowOptions& options) {
    return error_of([&] { window_sdpa(qkv, table, heads, options); });
  };
  EXPECT_THAT(said(at::zeros({2, 24}), {}, 2, {}),
              testing::HasSubstr("qkv [2, 24] has 2 dimensions"));
  EXPECT_THAT(said(qkv, {}, 5, {}),
              testing::HasSubstr("24 channels; wanted a multiple of 3 heads = 15"));
  EXPECT_THAT(said(qkv, {}, 0, {}), testing::HasSubstr("heads is 0"));
  EXPECT_THAT(said(qkv, {}, 2, {.window = {3}}),
              testing::HasSubstr("window [3] and shift [0] do not fit qkv [2, 6, 8, 24]"));
  EXPECT_THAT(said(qkv, {}, 2, {.window = {3, 4}, .shift = {1}}),
              testing::HasSubstr("shift [1] do not fit"));
  EXPECT_THAT(said(qkv, {}, 2, {.window = {3, 4}, .shift = {0, 4}}),
              testing::HasSubstr("window [3, 4] and shift [0, 4]; wanted 0 <= shift < window"));
  EXPECT_THAT(said(qkv, {}, 2, {.window = {0, 4}}), testing::HasSubstr("window [0, 4]"));
  EXPECT_THAT(
      said(qkv, at::zeros({35, 3}), 2, {.window = {3, 4}}),
      testing::HasSubstr("table [35, 3] does not fit window [3, 4] and 2 heads; wanted [35, 2]"));
  EXPECT_THAT(said(qkv, at::zeros({34, 2}), 2, {.window = {3, 4}}),
              testing::HasSubstr("table [34, 2]"));
  EXPECT_THAT(said(qkv.to(at::kInt), {}, 2, {}), testing::HasSubstr("qkv is Int"));
  EXPECT_THAT(said(qkv, {}, 2, {.dropout_p = 1.5}), testing::HasSubstr("dropout_p is 1.5"));
}

TEST_F(AttentionErrors, OfFeatureMapsNameTheArgumentAndWhatWasFound) {
  const Tensor q = at::zeros({2, 6, 3, 4}), k = at::zeros({2, 6, 5}), v = at::zeros({2, 8, 5});
  const auto said = [](const Tensor& q, const Tensor& k, const Tensor& v, int64_t heads) {
    return error_of([&] { spatial_sdpa(q, k, v, {.heads = heads}); });
  };
  EXPECT_THAT(said(q, k, v, 4),
              testing::HasSubstr("q [2, 6, 3, 4]; wanted [batch, heads channels, space …] for 4"));
  EXPECT_THAT(said(q, k[0], v, 1), testing::HasSubstr("k [6, 5]"));
  EXPECT_THAT(said(q, k, v.slice(2, 1), 1),
              testing::HasSubstr("k [2, 6, 5] and v [2, 8, 4] differ in space"));
}

TEST_F(AttentionErrors, NameAnInstructionSetThatIsNotThere) {
  setenv("FOVEA_CPU_ISA", "mmx", 1);
  const std::string said = error_of([] { sdpa_fwd(good(at::kCPU)); });
  unsetenv("FOVEA_CPU_ISA");
  EXPECT_THAT(said, testing::HasSubstr("FOVEA_CPU_ISA=mmx"));
  EXPECT_THAT(said, testing::HasSubstr("reference"));
}

}  // namespace
}  // namespace fovea::attention::test
