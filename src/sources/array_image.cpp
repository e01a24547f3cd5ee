#include "sources/array_image.h"

#include <fmt/format.h>

#include "fovea/core/error.h"

namespace fovea::sources {
namespace {

Sample sample_of(io::DType dtype, const std::string& where) {
  switch (dtype) {
    case io::DType::boolean:
    case io::DType::u8:
      return Sample::u8;
    case io::DType::i8:
      return Sample::i8;
    case io::DType::u16:
      return Sample::u16;
    case io::DType::i16:
      return Sample::i16;
    case io::DType::u32:
      return Sample::u32;
    case io::DType::i32:
      return Sample::i32;
    case io::DType::f32:
      return Sample::f32;
    case io::DType::f64:
      return Sample::f64;
    default:
      throw data_error(fmt::format(
          "{}: found an array of {}, wanted whole numbers of at most 32 bits or floating point",
          where, storage::name_of(dtype)));
  }
}

}  // namespace

Image array_image(io::Array array, const std::string& where) {
  std::vector<int64_t> shape = array.shape;
  Image image;
  image.sample = sample_of(array.dtype, where);
  if (shape.size() >= 3 && shape.back() == 3) {
    image.channels = 3;
    shape.pop_back();
  }
  if ((shape.size() != 2 && shape.size() != 3) || array.size() == 0)
    throw data_error(fmt::format(
        "{}: found an array of shape {}, wanted [height, width] or [depth, height, width], with a "
        "last side of 3 for colour",
        where, storage::shape_text(array.shape)));
  if (shape.size() == 3) image.frames = shape[0];
  image.height = shape[shape.size() - 2];
  image.width = shape.back();
  image.pixels = std::move(array.bytes);
  return image;
}

}  // namespace fovea::sources
