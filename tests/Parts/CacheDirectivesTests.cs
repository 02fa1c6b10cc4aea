using CsCheck;
using RpOrleans.Gateway.Http;
using RpOrleans.Gateway.Routing;
using RpOrleans.Grains;
using Xunit;

namespace RpOrleans.Tests.Parts;

/// <summary>How a request's <c>Cache-Control</c> is taken apart.</summary>
public sealed class CacheDirectivesTests
{
    private const string TokenCharacters = "abcXYZ019!#$%&'*+-.^_`|~";

    private static readonly ReadTerms _any = new(ReadMode.Normal);

    [Theory]
    [InlineData("stale-if-error=30")]
    [InlineData("STALE-IF-ERROR=30")]
    [InlineData("stale-if-error=\"30\"")]
    [InlineData("stale-if-error=\"\\30\"")]
    [InlineData(" ,,\tstale-if-error=30 , ,")]
    [InlineData("a=\"max-stale=1, \\\", b\", stale-if-error=30")]
    [InlineData("max-age=x, min-fresh=\"1, 2\", max-stale = 3, @@@, stale-if-error=30")]
    [InlineData("max-stale=0, stale-if-error=30")] // the one that is about failures counts
    [InlineData("stale-if-error=30, stale-if-error=0")]
    [InlineData("stale-if-error=, stale-if-error=30")]
    [InlineData("max-stale=30")]
    [InlineData("max-stale=x, max-stale=30")]
    public void ThirtySecondsPastExpiryAreAllowed(string header) => Assert.Equal(new CopyTerms(MaximumStale: TimeSpan.FromSeconds(30)), Parse(header).Copies);

    [Theory]
    [InlineData("x=\"stale-if-error=30\"")]
    [InlineData("x=\"\\\", max-age=0\", max-stale=\"")]
    [InlineData("x=\"max-age=0, no-cache")]
    [InlineData("stale-if-error")]
    [InlineData("stale-if-error=")]
    [InlineData("stale-if-error=-1")]
    [InlineData("stale-if-error=+1")]
    [InlineData("stale-if-error=1.5")]
    [InlineData("stale-if-error=\" 1\"")]
    [InlineData("stale-if-error=\u0661")]
    [InlineData("stale-if-error=1 2")]
    [InlineData("stale-if-error=\"1\"2")]
    [InlineData("stale-if-error=\"\"")]
    [InlineData("max-stale=\"\"")]
    [InlineData("max-stale=")]
    [InlineData("max-stale=soon")]
    [InlineData("no-store=1")]
    [InlineData("=no-store")]
    public void WhatIsQuotedOrMalformedSaysNothing(string header) => Assert.Equal(_any, Parse(header));

    [Fact]
    public void AllThatIsAskedForIsTaken() => Assert.Equal(
        new ReadTerms(ReadMode.Normal, new CopyTerms(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(4))),
        Parse("max-age=1, min-fresh=2, max-stale=3, stale-if-error=4"));

    [Fact]
    public void WithoutALimitAnyStalenessIsAllowed() => Assert.Equal(TimeSpan.MaxValue, Parse("max-stale").Copies!.MaximumStale);

    [Fact]
    public void WhereRedisIsNotAskedOnlyMaxStaleAllowsWhatIsStale()
    {
        Assert.Equal(new ReadTerms(ReadMode.Normal, OnlyIfHeld: true), Parse("only-if-cached, stale-if-error=4"));
        Assert.Equal(new ReadTerms(ReadMode.Normal, new CopyTerms(MaximumStale: TimeSpan.FromSeconds(3)), OnlyIfHeld: true), Parse("only-if-cached, stale-if-error=4, max-stale=3"));
    }

    [Theory]
    [InlineData("2147483648")]
    [InlineData("2147483649")]
    [InlineData("99999999999999999999999")]
    public void MoreSecondsThanCanBeCountedAreVeryMany(string seconds) => Assert.Equal(TimeSpan.FromSeconds(2_147_483_648), Parse($"max-age={seconds}").Copies!.MaximumAge);

    [Fact]
    public void WhateverIsWrittenIsReadAgain()
    {
        var token = Gen.Char[TokenCharacters].Array[1, 8].Select(characters => new string(characters));
        var text = Gen.Char["a1 ,=\"\\\t;\u00e9"].Array[0, 8].Select(characters => new string(characters));
        var blanks = Gen.Char[" \t"].Array[0, 3].Select(characters => new string(characters));
        var argument = Gen.OneOf(
            Gen.Const(((string?)null, "")),
            token.Select(t => ((string?)t, $"={t}")),
            text.Select(t => ((string?)t, $"=\"{t.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"")));
        var directive = Gen.Select(token, argument, blanks, blanks, (name, a, before, after) => (Name: name, Argument: a.Item1, Written: before + name + a.Item2 + after));
        directive.Array[0, 6].Sample(directives => Assert.Equal(
            directives.Select(one => $"{one.Name}={one.Argument ?? "none"}"),
            DirectiveList.Parse(string.Join(',', directives.Select(one => one.Written))).Select(one => $"{one.Name}={one.Argument ?? "none"}")));
    }

    [Fact]
    public void WhatComesAfterSomethingMalformedIsReadAllTheSame() =>
        Gen.Char["a1 =\t;@(\u00e9\0"].Array[0, 12].Sample(rubbish =>
        {
            var parsed = DirectiveList.Parse($"{new string(rubbish)},last=1");
            Assert.Equal(("last", "1"), parsed[^1]);
        });

    [Fact]
    public void NoHeaderIsTooOddToBeReadToItsEnd() => Gen.Char["a1 ,=\"\\\t"].Array[0, 30].Sample(characters => DirectiveList.Parse(new string(characters)).Count <= 16);

    private static ReadTerms Parse(string header) => CacheDirectives.Parse(header);
}
