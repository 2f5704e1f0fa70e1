using Introspection.Tests;

[assembly: Xunit.AssemblyFixture(typeof(Recordings))]
