#include "fovea/train/optimizers.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fovea/train/grad_scaler.h"
#include "fovea/train/optimizers/adamw.h"
#include "fovea/train/optimizers/sgd.h"
#include "fovea/train/schedules/cosine.h"
#include "support/test_files.h"
#include "train/small_run.h"

namespace fovea::train {
namespace {

using Json = nlohmann::json;
using torch::Tensor;

Json reference() { return Json::parse(test::read_text(test::reference("optimizers.json"))); }

Tensor tensor_of(const Json& values) {
  return torch::tensor(values.get<std::vector<double>>(), torch::kDouble);
}

/// The settings of the reference, read as a configuration would be.
Node settings_of(const Json& json) {
  Node node;
  node.kind = Node::Kind::map;
  for (const auto& [key, value] : json.items()) {
    if (key == "betas") {
      node.at("beta1") = Node::scalar(value[0].dump());
      node.at("beta2") = Node::scalar(value[1].dump());
    } else if (value.is_array()) {
      Node list;
      list.kind = Node::Kind::list;
      for (const Json& item : value) list.items.push_back(Node::scalar(item.dump()));
      node.at(key) = list;
    } else {
      node.at(key) = Node::scalar(value.dump());
    }
  }
  return node;
}

OptimizerPtr make(const Json& one, const Tensor& parameter, bool decays = true) {
  OptimizerChoice choice;
  choice.select(one["name"].get<std::string>());
  choice.read_settings(settings_of(one["settings"]));
  return choice.make({{.names = {"p"}, .parameters = {parameter}, .decays = decays}});
}

Tensor start_of(const Json& json, bool channels_last) {
  const Tensor start = tensor_of(json["start"]).view({3, 4, 2, 2}).to(torch::kFloat);
  return (channels_last ? start.contiguous(at::MemoryFormat::ChannelsLast) : start.clone())
      .requires_grad_();
}

void set_gradient(Tensor& p, const Json& values) {
  p.mutable_grad() = torch::empty_like(p).copy_(tensor_of(values).view(p.sizes()));
}

TEST(Optimizers, TenStepsEqualPyTorchInBothMemoryLayouts) {
  const Json json = reference();
  const Tensor go = torch::zeros({});
  for (const bool channels_last : {false, true}) {
    for (const Json& one : json["steps"]) {
      SCOPED_TRACE(one["name"].get<std::string>() + " " + one["settings"].dump());
      Tensor p = start_of(json, channels_last);
      const OptimizerPtr optimizer = make(one, p);
      for (size_t step = 0; step < 10; ++step) {
        set_gradient(p, json["gradients"][step]);
        optimizer->step(1, go);
        const Tensor off =
            (p.detach().contiguous().flatten() - tensor_of(one["trace"][step])).abs();
        // Float32 in another order of operations.
        ASSERT_LT(off.max().item<double>(), 5e-6) << "step " << step;
      }
    }
  }
}

TEST(Optimizers, ASkippedStepLeavesNoTrace) {
  const Json json = reference();
  for (const Json& one : json["steps"]) {
    SCOPED_TRACE(one["name"].get<std::string>());
    Tensor p = start_of(json, false), q = start_of(json, false);
    const OptimizerPtr with = make(one, p), without = make(one, q);
    for (size_t step = 0; step < 4; ++step) {
      if (step == 2) {
        p.mutable_grad() = torch::full_like(p, INFINITY);
        with->step(1, torch::ones({}));
      }
      set_gradient(p, json["gradients"][step]);
      set_gradient(q, json["gradients"][step]);
      with->step(1, torch::zeros({}));
      without->step(1, torch::zeros({}));
    }
    EXPECT_TRUE(torch::equal(p, q));
  }
}

// An input that few cases have: without a gradient a parameter stays, and so does its step count.
TEST(Optimizers, WhatIsReachedInSomeStepsOnlyEqualsPyTorch) {
  const Json json = reference();
  ASSERT_EQ(json["skips"].size(), json["steps"].size());
  for (const Json& one : json["skips"]) {
    SCOPED_TRACE(one["name"].get<std::string>() + " " + one["settings"].dump());
    Tensor p = start_of(json, false), q = start_of(json, false);
    OptimizerChoice choice;
    choice.select(one["name"].get<std::string>());
    choice.read_settings(settings_of(one["settings"]));
    const auto optimizer = choice.make({{.names = {"p", "q"}, .parameters = {p, q}}});
    for (size_t step = 0; step < 10; ++step) {
      optimizer->zero_grad();
      set_gradient(p, json["gradients"][step]);
      if (json["reached"][step] == 1) set_gradient(q, json["gradients"][step]);
      optimizer->step(1, torch::zeros({}));
      const Tensor off = (q.detach().flatten() - tensor_of(one["trace"][step])).abs();
      ASSERT_LT(off.max().item<double>(), 5e-6) << "step " << step;
    }
  }
}

// As version 0.1 wrote it: one count for all parameters.
TEST(Optimizers, AStateWithOneStepCountStillLoads) {
  const Json json = reference();
  for (const Json& one : json["steps"]) {
    SCOPED_TRACE(one["name"].get<std::string>() + " " + one["settings"].dump());
    Tensor p = start_of(json, false);
    const OptimizerPtr optimizer = make(one, p);
    for (size_t step = 0; step < 3; ++step) {
      set_gradient(p, json["gradients"][step]);
      optimizer->step(1, torch::zeros({}));
    }
    State saved;
    saved.part("optimizer", *optimizer);
    EXPECT_EQ(saved.tensors.at("optimizer.steps").sizes(), (std::vector<int64_t>{1}));
    TensorMap old;
    for (const auto& [name, tensor] : saved.tensors) old[name] = tensor;
    old["optimizer.steps"] = torch::tensor(3.f);
    Tensor q = p.detach().clone().requires_grad_();
    const OptimizerPtr resumed = make(one, q);
    State given(old, saved.numbers);
    given.part("optimizer", *resumed);
    set_gradient(q, json["gradients"][3]);
    resumed->step(1, torch::zeros({}));
    const Tensor off = (q.detach().flatten() - tensor_of(one["trace"][3])).abs();
    EXPECT_LT(off.max().item<double>(), 5e-6);
  }
}

TEST(Optimizers, StateGoesThroughACheckpointBitByBit) {
  const Json json = reference();
  for (const Json& one : json["steps"]) {
    SCOPED_TRACE(one["name"].get<std::string>());
    Tensor p = start_of(json, true);
    OptimizerPtr optimizer = make(one, p);
    Tensor q;
    OptimizerPtr resumed;
    for (size_t step = 0; step < 6; ++step) {
      if (step == 3) {
        State saved;
        saved.part("optimizer", *optimizer);
        q = p.detach().clone().requires_grad_();
        resumed = make(one, q);
        State given(saved.tensors, saved.numbers);
        given.part("optimizer", *resumed);
      }
      for (const auto& [tensor, mover] : {std::pair(&p, &optimizer), std::pair(&q, &resumed)}) {
        if (!*mover) continue;
        set_gradient(*tensor, json["gradients"][step]);
        (*mover)->step(0.5, torch::zeros({}));
      }
    }
    EXPECT_TRUE(torch::equal(p, q));
  }
}

TEST(Optimizers, WeightDecayAndRateFollowTheGroup) {
  // With gradient 0 only the decay moves a weight: w (1 - lr * lr_factor * decay).
  const Tensor w = torch::ones({2, 2}).requires_grad_(), bias = torch::ones({2}).requires_grad_();
  OptimizerChoice choice;
  choice.set("adamw", AdamWOptions{.lr = 0.1, .weight_decay = 0.5});
  const auto optimizer = choice.make({
      {.names = {"w"}, .parameters = {w}, .lr_factor = 0.2, .decays = true},
      {.names = {"b"}, .parameters = {bias}, .decays = false},
  });
  w.mutable_grad() = torch::zeros_like(w);
  bias.mutable_grad() = torch::zeros_like(bias);
  optimizer->step(0.5, torch::zeros({}));
  EXPECT_NEAR(w[0][0].item<double>(), 1 - 0.1 * 0.5 * 0.2 * 0.5, 1e-7);
  EXPECT_EQ(bias[0].item<double>(), 1);
}

TEST(Optimizers, GroupsOfAModelKeepDecayFromNormsAndBiases) {
  SmallRun run;
  run.prepare();
  int64_t decayed = 0, spared = 0;
  for (const ParameterGroup& group : parameter_groups(*run.model, 0.1)) {
    for (size_t i = 0; i < group.names.size(); ++i) {
      EXPECT_EQ(group.decays, group.parameters[i].dim() > 1) << group.names[i];
      EXPECT_EQ(group.lr_factor, group.names[i].starts_with("heads.") ? 1 : 0.1);
      ++(group.decays ? decayed : spared);
    }
  }
  EXPECT_GT(decayed, 2);
  EXPECT_GT(spared, 2);
}

TEST(Schedules, EveryRateEqualsPyTorch) {
  const Json json = reference();
  const Horizon horizon{.steps_per_epoch = json["steps_per_epoch"], .epochs = json["epochs"]};
  for (const Json& one : json["schedules"]) {
    SCOPED_TRACE(one["name"].get<std::string>() + " " + one["settings"].dump());
    ScheduleChoice choice;
    choice.select(one["name"].get<std::string>());
    choice.read_settings(settings_of(one["settings"]));
    SchedulePtr schedule = choice.make(horizon);
    for (int64_t step = 0; step < horizon.steps(); ++step) {
      // The reference is a chain of float64 products.
      ASSERT_NEAR(schedule->factor(step), one["rates"][step].get<double>(), 1e-12) << step;
      if ((step + 1) % horizon.steps_per_epoch != 0 || !one.contains("figures")) continue;
      schedule->observe(one["figures"][step / horizon.steps_per_epoch],
                        one["higher"] ? metrics::kHigher : metrics::kLower);
      State saved;  // as if resumed after each epoch
      schedule->state(saved);
      schedule = choice.make(horizon);
      State given(saved.tensors, saved.numbers);
      schedule->state(given);
    }
  }
}

TEST(Schedules, AWarmupLongerThanTheRunIsRefused) {
  ScheduleChoice choice;
  choice.set("cosine", CosineOptions{.floor = 0, .warmup = 5});
  EXPECT_THROW(choice.make({.steps_per_epoch = 10, .epochs = 5}), Error);
}

TEST(GradScaler, FollowsTorchAmpThroughOverflowsAndGrowth) {
  const Json json = reference()["scaler"];
  GradScaler scaler(torch::kCPU, {.scale = 1024, .growth = 2, .backoff = 0.5, .interval = 3});
  Tensor p = torch::zeros({2}).requires_grad_();
  OptimizerChoice choice;
  choice.set("sgd", SgdOptions{.lr = 1, .momentum = 0, .weight_decay = 0});
  const auto optimizer = choice.make({{.names = {"p"}, .parameters = {p}}});
  for (size_t step = 0; step < json["overflow"].size(); ++step) {
    const float factor = json["overflow"][step] == 1 ? INFINITY : 1.0f;
    optimizer->zero_grad();
    scaler.scaled((p * torch::tensor({1.0f, factor})).sum()).backward();
    auto gradients = optimizer->gradients();
    const Tensor overflowed = scaler.unscale(gradients);
    optimizer->step(1, overflowed);
    scaler.update(overflowed);
    ASSERT_EQ(scaler.scale(), json["scales"][step].get<double>()) << step;
  }
  EXPECT_TRUE(torch::equal(p.detach().to(torch::kDouble), tensor_of(json["weights"])));
}

}  // namespace
}  // namespace fovea::train
