using Proof.Tests;
using Xunit;

// Every test here uses all cores by itself, and some watch the time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: AssemblyFixture(typeof(KernelRecordings))]
