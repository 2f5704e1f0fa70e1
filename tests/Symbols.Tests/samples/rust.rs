// What Rust's types look like in memory: enums with and without niches, tuples, slices, strings, generics, closures.
use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::rc::Rc;

#[derive(Clone, Copy, PartialEq)]
pub enum Plain { First, Second = 5, Third }

pub enum Shape {
    Empty,
    Circle(f64),
    Rectangle { width: u32, height: u16 },
    Named(String, u8),
}

pub enum Generic<T> { Nothing, One(T), Many(Vec<T>) }

#[repr(u8)]
pub enum Coded { Low(u8) = 3, High(u64) = 200 }

pub struct Pair<A, B> { pub a: A, pub b: B }

pub struct Unit;

pub union Overlay { pub whole: u32, pub half: [u16; 2] }

pub mod inner {
    pub static COUNTER: std::sync::atomic::AtomicI32 = std::sync::atomic::AtomicI32::new(17);
    pub struct Holder<'a> { pub text: &'a str, pub numbers: &'a [i16] }
    impl<'a> Holder<'a> {
        #[inline(never)]
        pub fn total(&self, by: i32) -> i32 {
            let mut sum = by;
            for number in self.numbers { sum += *number as i32; }
            crate::stop(1);
            sum + self.text.len() as i32
        }
    }
}

pub trait Speaks { fn speak(&self) -> u32; }
impl Speaks for Pair<u8, i64> { fn speak(&self) -> u32 { self.a as u32 } }

#[no_mangle]
#[inline(never)]
pub extern "C" fn stop(at: u32) {
    std::hint::black_box(at);
}

#[inline(never)]
fn largest<T: PartialOrd + Copy>(list: &[T]) -> T {
    let mut best = list[0];
    for &one in list { if one > best { best = one; } }
    stop(2);
    best
}

#[inline(never)]
fn values(argument: u32, text: &str) -> u64 {
    let small: i8 = -3;
    let wide: u128 = 0x1234_5678_9abc_def0_1122_3344_5566_7788;
    let signed: i128 = -5;
    let real = 2.5f32;
    let truth = true;
    let letter = 'é';
    let tuple = (1u8, -2i32, 3.5f64);
    let nested = ((1u16, 2u8), [3u32, 4]);
    let array = [10u64, 20, 30];
    let slice: &[u64] = &array[1..];
    let word = "hello";
    let owned = String::from("owned text");
    let vector = vec![1u32, 2, 3, 4];
    let strings = vec![String::from("one"), String::from("two")];
    let plain = Plain::Second;
    let third = Plain::Third;
    let empty = Shape::Empty;
    let circle = Shape::Circle(1.25);
    let rectangle = Shape::Rectangle { width: 7, height: 9 };
    let named = Shape::Named(String::from("shape"), 4);
    let one = Generic::One(77u32);
    let nothing: Generic<u32> = Generic::Nothing;
    let many = Generic::Many(vec![5u16, 6]);
    let low = Coded::Low(9);
    let high = Coded::High(99);
    let some_reference: Option<&u32> = Some(&argument);
    let no_reference: Option<&u32> = None;
    let some_box: Option<Box<i32>> = Some(Box::new(41));
    let some_number: Option<u32> = Some(8);
    let no_number: Option<u32> = None;
    let nonzero: Option<NonZeroU32> = NonZeroU32::new(6);
    let no_nonzero: Option<NonZeroU32> = None;
    let some_text: Option<String> = Some(String::from("maybe"));
    let no_text: Option<String> = None;
    let result: Result<u8, String> = Err(String::from("bad"));
    let good: Result<u8, String> = Ok(3);
    let deep: Option<Option<bool>> = Some(None);
    let character: Option<char> = None;
    let unit = Unit;
    let pair = Pair { a: 1u8, b: -1i64 };
    let overlay = Overlay { whole: 0x1234_5678 };
    let boxed = Box::new(Pair { a: 'x', b: 2u16 });
    let shared = Rc::new(12u32);
    let pointer: *const u64 = &array[0];
    let function: fn(&[u32]) -> u32 = largest::<u32>;
    let object: &dyn Speaks = &pair;
    let closure = |by: u32| argument + by;
    let holder = inner::Holder { text: word, numbers: &[1, -2, 3] };
    stop(3);
    let mut map = BTreeMap::new();
    map.insert(1, 2);
    let sum = holder.total(small as i32) as u64 + largest(&array) + largest(&[1.5f32, 2.5]) as u64 + closure(1) as u64
        + object.speak() as u64 + tuple.0 as u64 + nested.1[0] as u64 + slice.len() as u64 + owned.len() as u64 + function(&vector) as u64
        + strings.len() as u64 + *shared as u64 + unsafe { overlay.whole as u64 + *pointer } + boxed.b as u64 + wide as u64 + signed as u64
        + real as u64 + truth as u64 + letter as u64 + text.len() as u64;
    let tags = (plain == Plain::First, third == Plain::First, some_reference.is_some(), no_reference.is_none(), some_box, some_number, no_number);
    std::hint::black_box((&tags, &nonzero, &no_nonzero, &some_text, &no_text, &result, &good, &deep, &character, &unit, &low, &high));
    std::hint::black_box((&empty, &circle, &rectangle, &named, &one, &nothing, &many, &plain, &map));
    sum
}

fn main() {
    let count = std::env::args().count() as u32;
    println!("{} {}", values(count + 40, "given"), inner::COUNTER.load(std::sync::atomic::Ordering::Relaxed));
}
