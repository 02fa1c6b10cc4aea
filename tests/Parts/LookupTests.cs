using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using RpOrleans.Grains;

namespace RpOrleans.Tests.Parts;

public sealed class LookupTests
{
    [Theory]
    [InlineData(LookupStatus.Found, 100)]
    [InlineData(LookupStatus.Found, 0)]
    [InlineData(LookupStatus.Absent, 0)]
    public void AnAnswerArrivesWithItsValueAndNothingOfWhatLiesAroundThat(LookupStatus status, int length)
    {
        var segment = new byte[10_000];
        new Random(1).NextBytes(segment);
        using var services = new ServiceCollection().AddSerializer(serializer => serializer.AddAssembly(typeof(Lookup).Assembly)).BuildServiceProvider();
        var serializer = services.GetRequiredService<Serializer>();

        var message = serializer.SerializeToArray(new Lookup { Status = status, Value = segment.AsMemory(5_000, length) });
        var arrived = serializer.Deserialize<Lookup>(message);

        Assert.Equal(status, arrived.Status);
        Assert.Equal(segment.AsSpan(5_000, length), arrived.Value.Span);
        Assert.InRange(message.Length, length, length + 60);
    }
}
