;; A smoothed reading: mean = mean + (16 sample - mean) / 8, in sixteenths of a unit. Integers, no memory, no imports.
(module
  (global $mean (mut i32) (i32.const 0))
  (func (export "update") (param $sample i32) (result i32)
    (global.set $mean
      (i32.add
        (global.get $mean)
        (i32.shr_s
          (i32.sub (i32.shl (local.get $sample) (i32.const 4)) (global.get $mean))
          (i32.const 3))))
    (global.get $mean))
  ;; The mean in thousandths; with no divisor, a trap.
  (func (export "perMille") (param $full i32) (result i32)
    (i32.div_s
      (i32.mul (global.get $mean) (i32.const 1000))
      (i32.shl (local.get $full) (i32.const 4))))
  (func (export "reset") (global.set $mean (i32.const 0))))
